"""Which contacts are one customer: joining by itself, merging and splitting by hand, and taking each of them back."""
