"""Douyin (抖音) private messages: one connection is one app of the open platform, one account is one business account."""

from adapters.douyin.adapter import PROVIDER

__all__ = ["PROVIDER"]
