"""The addresses of what belongs to a group, relative to this server so that they hold behind any proxy."""

PAGE = "/"


def status(group_id: str) -> str:
    return f"/status/{group_id}"


def events(group_id: str) -> str:
    return f"/events/{group_id}"


def cancel(group_id: str) -> str:
    return f"/cancel/{group_id}"


def archive(group_id: str) -> str:
    return f"/archive/{group_id}"


def send_images(group_id: str) -> str:
    return f"/send_images/{group_id}"


def image(group_id: str, index: int) -> str:
    return f"/images/{group_id}/{index}"


def task(task_id: str) -> str:
    return f"/tasks/{task_id}"
