const LIVE_PARENT = 'JOIN manifest parent ON parent.id = ref.parent_id AND parent.deleted_at IS NULL';

/**
 * Which manifests (`a`) of a repository are artifacts of their own in lists and counts: never accessories; and children
 * of an index only when they are tagged (the Harbor API's rule). Asked manifest by manifest, so that what it costs grows
 * with the manifests and with nothing else; the repository is spelled out in each part, so that no plan looks beyond it.
 *
 * @param repository SQL for the repository's id, such as the column of an outer query
 */
export function listedArtifact(repository: string): string {
  // OFFSET 0 keeps the planner from reading all tags of the repository for the few children that are looked up.
  return `${anyArtifact(repository)}
  AND (NOT EXISTS (SELECT 1 FROM manifest_reference ref ${LIVE_PARENT} WHERE ref.repository_id = ${repository} AND ref.child_digest = a.digest)
       OR EXISTS (SELECT 1 FROM tag t WHERE t.manifest_id = a.id OFFSET 0))`;
}

/** The same with untagged children of indexes (`q=base=*`). */
export function anyArtifact(repository: string): string {
  return `a.repository_id = ${repository} AND a.deleted_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM accessory x WHERE x.repository_id = ${repository} AND x.manifest_id = a.id)`;
}

/**
 * The same as listedArtifact, for one large repository: what is not listed is found once and left out.
 *
 * @param repository the placeholder of the repository's id
 */
export function listedInOneRepository(repository: string): string {
  return `a.repository_id = ${repository} AND a.deleted_at IS NULL AND a.id NOT IN (
    SELECT x.manifest_id FROM accessory x WHERE x.repository_id = ${repository}
    UNION ALL
    SELECT child.id FROM manifest_reference ref ${LIVE_PARENT}
    JOIN manifest child ON child.repository_id = ref.repository_id AND child.digest = ref.child_digest
    WHERE ref.repository_id = ${repository} AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.manifest_id = child.id))`;
}
