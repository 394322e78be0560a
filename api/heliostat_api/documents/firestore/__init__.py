"""Documents in Firestore: the store of an installation in the cloud."""
