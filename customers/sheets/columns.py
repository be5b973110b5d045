"""What the columns of a sheet mean: guessed from what stands above them, and from how they were mapped last time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from customers.field_values import Field

NAMES: dict[str, tuple[str, ...]] = {
    "name": (
        "姓名",
        "客户",
        "客户名称",
        "客户姓名",
        "名称",
        "联系人",
        "昵称",
        "name",
        "customer",
        "full name",
        "contact",
    ),
    "phone": (
        "手机",
        "手机号",
        "手机号码",
        "电话",
        "电话号码",
        "联系电话",
        "联系方式",
        "phone",
        "mobile",
        "phone number",
        "tel",
    ),
    "company": ("公司", "公司名称", "单位", "企业", "company", "organisation", "organization"),
    "position": ("职位", "职务", "岗位", "position", "title", "job title"),
    "city": ("城市", "所在城市", "地区", "city"),
    "email": ("邮箱", "电子邮箱", "邮件", "email", "e-mail", "mail"),
    "address": ("地址", "详细地址", "address"),
    "gender": ("性别", "gender", "sex"),
    "source": ("来源", "客户来源", "渠道来源", "source"),
    "remark": ("备注", "说明", "remark", "remarks", "note", "notes"),
    "value": ("金额", "预计金额", "意向金额", "value", "amount"),
    "stage": ("阶段", "客户阶段", "stage"),
    "tags": ("标签", "客户标签", "tags", "tag", "labels"),
    "owner": ("归属", "归属人", "负责人", "跟进人", "销售", "owner", "sales"),
}
STANDARD = tuple(NAMES)


def folded(title: str) -> str:
    return re.sub(r"[\s_:：*（）()-]+", "", title).casefold()


def guess(head: Sequence[str], fields: Sequence[Field], known: Mapping[str, str]) -> list[str]:
    """A field for each column, ``""`` for none; no field twice."""
    by_name = {folded(name): key for key, names in NAMES.items() for name in names}
    by_name |= {
        folded(field.name): f"fields.{field.key}" for field in fields if not field.archived and field.kind != "file"
    }
    allowed = {*STANDARD, *(f"fields.{field.key}" for field in fields if not field.archived)}
    taken: set[str] = set()
    found = []
    for title in head:
        wanted = known.get(folded(title), by_name.get(folded(title), ""))
        wanted = wanted if wanted in allowed and wanted not in taken else ""
        taken.add(wanted)
        found.append(wanted)
    return found
