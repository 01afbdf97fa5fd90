"""Methods that must not do what GET does."""

from flask import Flask

from darkroom_api.http.foreign_pages import acts


def refuse_head_where_it_would_act(app: Flask) -> None:
    """Take HEAD away, which Flask adds to every GET, from views that change something: HEAD is answered with 405.

    Programs that only look, such as link checkers and previews, ask with HEAD (RFC 9110, 9.2.1, calls it safe).
    Called once all views are registered.
    """
    for rule in app.url_map.iter_rules():
        if rule.methods and acts(app.view_functions[rule.endpoint]):
            rule.methods.discard("HEAD")
