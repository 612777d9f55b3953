"""The dashboard: server-rendered pages and JSON over named queries. It knows nothing of the receiver."""
