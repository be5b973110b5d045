"""WeChat Official Accounts: subscription and service accounts."""

from adapters.wechat_oa.provider import PROVIDER

__all__ = ["PROVIDER"]
