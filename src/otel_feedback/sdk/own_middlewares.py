"""The middlewares that the app put somewhere itself: while there is one, those that ``instrument()`` adds stand back.

They may be anywhere inside of an app (``app.wsgi_app = FeedbackMiddleware(app.wsgi_app, keys=...)``), where one around
the app can't see them; and it would answer in their place, with other keys.
"""

from __future__ import annotations

import weakref
from typing import Any, Final

own_middlewares: Final[weakref.WeakSet[Any]] = weakref.WeakSet()
