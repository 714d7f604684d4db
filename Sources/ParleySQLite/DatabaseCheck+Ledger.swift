import ParleyCore

/// What must hold in the ledger of quotas.
extension DatabaseCheck {
    static let ledgerInvariants =
        [
            Invariant(
                sentence: "Turn % runs and holds nothing.",
                query: "SELECT id FROM turns WHERE status IN ('queued', 'inProgress') AND NOT local AND key NOT IN (SELECT turn FROM holds)"
            ),
            Invariant(
                sentence: "A hold of person % belongs to no turn that runs.",
                query: """
                    SELECT CAST(h.person AS TEXT) FROM holds h LEFT JOIN turns t ON t.key = h.turn AND t.status IN ('queued', 'inProgress')
                    WHERE t.key IS NULL
                    """),
            Invariant(
                sentence: "Turn % was copied, and runs, or has cost something.",
                query: """
                    SELECT id FROM turns WHERE copied AND (completed_at IS NULL OR receipt IS NOT NULL OR key IN (SELECT turn FROM holds))
                    """),
            Invariant(
                sentence: "% has more turns held than counted.",
                query: """
                    SELECT 'Person ' || h.person FROM holds h
                    LEFT JOIN counters c ON c.name = 'anonymous.turns' AND c.subject = CAST(h.person AS TEXT) AND c.width = 0
                    WHERE h.kind = 'anonymous' GROUP BY h.person HAVING count(*) > coalesce(max(c.count), 0)
                    """),
        ] + zip(CounterWidths.all, CounterWidths.all.dropFirst()).map(agreement)

    /// What is counted in rows of one width is counted in those of the next as well, as far back as windows reach: beyond, rows are discarded.
    private static func agreement(of finer: Int64, with coarser: Int64) -> Invariant {
        Invariant(
            sentence: "The counter % does not count in rows of \(finer) ms what it counts in rows of \(coarser) ms.",
            query: """
                SELECT name || CASE subject WHEN '' THEN '' ELSE ' of ' || subject END FROM (
                    SELECT name, subject, start, count FROM counters WHERE width = \(coarser)
                    UNION ALL
                    SELECT name, subject, start / \(coarser) * \(coarser), -count FROM counters WHERE width = \(finer)
                )
                WHERE start > coalesce((SELECT time FROM quota_clock), 0) - \(QuotaPolicy.maximumWindowSeconds * 1_000)
                GROUP BY name, subject, start HAVING sum(count) <> 0
                """)
    }
}
