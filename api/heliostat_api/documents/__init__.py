"""What outlives pods and resources: the document store, in SQLite or in Firestore."""
