"""The views that readers select from: every period with what its run says of its segment."""

CURRENT = """
    CREATE VIEW customer_segments AS
    SELECT p.customer_id, p.lifestage, p.segment, s.segment_name, s.candidate_key, s.evidence_class, r.data_digest,
        r.run, o.valid_from
    FROM customer_segment_periods p
    JOIN customer_segment_runs o ON o.run_number = p.opened_by
    JOIN customer_segment_runs r ON r.run_number = (SELECT MAX(run_number) FROM customer_segment_runs)
    JOIN customer_segment_labels s ON s.run = r.run AND s.lifestage = p.lifestage AND s.segment = p.segment
    WHERE p.closed_by = 0
"""
HISTORY = """
    CREATE VIEW customer_segment_history AS
    SELECT p.customer_id, p.lifestage, p.segment, s.segment_name, s.candidate_key, s.evidence_class, o.data_digest,
        o.run, o.valid_from, c.valid_from AS valid_to, c.run AS closed_by
    FROM customer_segment_periods p
    JOIN customer_segment_runs o ON o.run_number = p.opened_by
    JOIN customer_segment_labels s ON s.run = o.run AND s.lifestage = p.lifestage AND s.segment = p.segment
    LEFT JOIN customer_segment_runs c ON c.run_number = p.closed_by
"""
VIEWS = {"customer_segments": CURRENT, "customer_segment_history": HISTORY}
