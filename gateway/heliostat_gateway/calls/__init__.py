"""One model call: from the request to the last byte of its answer."""
