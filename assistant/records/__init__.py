"""What is kept between visits: conversations, feedback, accounts, sign-ins. SQLite or PostgreSQL."""
