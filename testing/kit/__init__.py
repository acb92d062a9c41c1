"""What a tester's commands are made of: messages written as words, asked, counted and played."""
