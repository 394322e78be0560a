"""How every service tells of itself: log lines and spans. Apart from core, because it writes."""
