"""What a document says: its structure as a regulation, its passages as an article, how two versions differ."""
