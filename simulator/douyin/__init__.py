"""The simulated open platform of Douyin. ``server.py`` is the way in."""

from simulator.douyin.server import DouyinSimulator, serve
from simulator.douyin.settings import Settings

__all__ = ["DouyinSimulator", "Settings", "serve"]
