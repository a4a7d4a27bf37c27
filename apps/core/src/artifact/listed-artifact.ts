/**
 * Which manifests (`a`) of a repository are artifacts of their own in lists and counts: never accessories; and children
 * of an index only when they are tagged (the Harbor API's rule). The repository is spelled out in each part, so that no
 * plan looks beyond it. Whether there is a tag is asked for each child alone: as EXISTS, Postgres would read all the tags
 * of the repository first, and there may be ten times as many of them as artifacts.
 *
 * @param repository SQL for the repository's id
 */
export function listedArtifact(repository: string): string {
  return `${anyArtifact(repository)}
  AND (NOT EXISTS (SELECT 1 FROM manifest_reference ref JOIN manifest parent ON parent.id = ref.parent_id AND parent.deleted_at IS NULL
                   WHERE ref.repository_id = ${repository} AND ref.child_digest = a.digest)
       OR coalesce((SELECT true FROM tag t WHERE t.manifest_id = a.id LIMIT 1), false))`;
}

/** The same with untagged children of indexes (`q=base=*`). */
export function anyArtifact(repository: string): string {
  return `a.repository_id = ${repository} AND a.deleted_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM accessory x WHERE x.repository_id = ${repository} AND x.manifest_id = a.id)`;
}
