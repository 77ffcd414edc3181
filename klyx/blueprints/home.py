"""`/`: a small page for people, JSON for programs."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template, request

from klyx.openapi import DOCS_PATH

blueprint = Blueprint("home", __name__)
LINKS = {"documentation": DOCS_PATH, "specification": "/api/openapi.json", "health": "/api/health"}


@blueprint.get("/")
def home() -> Response | str:
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return render_template("home.html", links=LINKS)
    return jsonify({"service": "Klyx", "status": "running", **LINKS})
