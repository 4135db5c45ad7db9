"""The names of pipeline texts: which filter each element is, and what its properties mean. Data, no behaviour."""
