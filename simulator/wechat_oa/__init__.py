"""The simulated WeChat public platform; see ``server.py``."""

from simulator.wechat_oa.server import OfficialAccountSimulator

__all__ = ["OfficialAccountSimulator"]
