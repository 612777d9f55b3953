"""The middlewares that the app put somewhere itself: while there is one, those that ``instrument()`` adds stand back.

They may be anywhere inside of an app (``app.wsgi_app = FeedbackMiddleware(app.wsgi_app, keys=...)``), where one around
the app can't see them; and it would answer in their place, with other keys.
"""

from __future__ import annotations

import weakref
from typing import Any, Final

own_middlewares: Final[weakref.WeakSet[Any]] = weakref.WeakSet()

# Where a middleware writes itself into the request, for those further in.
SEEN: Final = "otel_feedback.middleware"


def stands_back(middleware: Any, around: Any) -> bool:
    """Whether a middleware leaves the request to the one around it, e.g. that of an app in which its own is mounted.

    Starlette makes its middlewares at the first request, when one that was added may have it already: then both act.
    """
    return around is not None and (around in own_middlewares or middleware not in own_middlewares)
