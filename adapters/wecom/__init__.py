"""WeCom (企业微信): WeChat customer service (微信客服) both ways, and everything else the platform calls back about."""

from adapters.wecom.provider import PROVIDER

__all__ = ["PROVIDER"]
