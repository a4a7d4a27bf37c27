/**
 * Which manifests (`a`) are artifacts of their own in lists and counts: never accessories; and children of an index
 * only when they are tagged (the Harbor API's rule).
 */
export const LISTED_ARTIFACT = `a.deleted_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM accessory x WHERE x.manifest_id = a.id)
  AND (NOT EXISTS (SELECT 1 FROM manifest_reference ref JOIN manifest parent ON parent.id = ref.parent_id AND parent.deleted_at IS NULL
                   WHERE ref.repository_id = a.repository_id AND ref.child_digest = a.digest)
       OR EXISTS (SELECT 1 FROM tag t WHERE t.manifest_id = a.id))`;

/** The same with untagged children of indexes (`q=base=*`). */
export const ANY_ARTIFACT = `a.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM accessory x WHERE x.manifest_id = a.id)`;
