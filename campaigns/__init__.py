"""Posts to many: whom, what, when, and for each of them whether it reached them."""
