"""Hot words: what is talked about, how that changes, and by which dictionary words are told apart."""
