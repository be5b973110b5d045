"""Passwords that everybody tries first, in lower case: those of the public lists that are long enough to be allowed otherwise,
and what people in Chinese offices like. Digits and marks at the end are looked through by the caller."""

from __future__ import annotations

_WORDS = """
password passw0rd p@ssword p@ssw0rd pa$$word administrator welcome welcome1 letmein iloveyou qwertyuiop qwerty qwerty123
qwerty12345 asdfghjkl zxcvbnm 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc qazwsx qazwsxedc zaq12wsx zaq1zaq1
abc123 abcd1234 abcdefg abcdefgh abcdefghij abcdefghijkl a1b2c3d4 a1b2c3d4e5 123456789 1234567890 12345678901 123456789012
0123456789 9876543210 987654321 0987654321 1122334455 11223344 112233445566 1111111111 0000000000 8888888888 6666666666
5201314 5201314520 1314520 woaini woaini1314 woaini520 woaini1314520 woaiwojia woshishui wodemima nihao123 aini1314
asd123456 asdf1234 asdasdasd qwe123456 qweasdzxc qweasd123 q1w2e3r4 q1w2e3r4t5 zxc123456 zxcvbnm123 abc123456 aa123456
aaa123456 a123456789 a1234567 a12345678 admin admin123 admin1234 admin888 admin123456 root123456 test123456 user123456
changeme changeit default secret trustno1 sunshine princess football baseball dragon master monkey superman michael shadow
jordan23 liverpool chelsea arsenal starwars computer internet whatever freedom hello123 helloworld iloveyou123 loveyou
mypassword newpassword password1 password12 password123 password1234 passwordpassword correcthorsebatterystaple
wecom123456 qiyeweixin weixin123 weixin123456 douyin123456 scrm123456 kefu123456 kehu123456 company123 gongsi123
""".split()  # noqa: SIM905 - a list of lines reads better
COMMON = frozenset(word.rstrip("0123456789!.@#") or word for word in _WORDS) | frozenset(_WORDS)
