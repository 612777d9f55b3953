"""Tells which worker answered."""

import os

from flask_app import app


@app.after_request
def tell_worker(response):
    response.headers["X-Worker"] = str(os.getpid())
    return response
