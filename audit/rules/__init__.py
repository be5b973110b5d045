"""Rules: what is looked for in what people write and do, and what was found."""
