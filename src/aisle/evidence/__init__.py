"""Whether segments are real: gaps between them, whether they come back, and what data without clusters would give."""
