"""What puts a station together: its state on disk, its settings, its link, and a session over them."""
