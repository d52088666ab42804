"""The viewer of a converted corpus: a folder that opens in a browser, without a server or a network."""
