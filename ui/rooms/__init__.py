"""Parts that the rooms beside the picture share: forms, record tables, JSON editing, empty states."""
