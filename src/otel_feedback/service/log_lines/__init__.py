"""The lines that the service logs, its libraries' among them: all on standard error, all in one format.

configure: switch it on. formats: text or JSON. repeats: what fails again and again is told sparingly. redaction: no
secret is ever in a line.
"""
