import type { QueryRunner } from 'typeorm';
import { versionKey } from '@haven/oci';

const BATCH = 5000;

/** Gives the tags that are there the key by which versions sort. */
export async function fillVersionKeys(runner: QueryRunner): Promise<void> {
  for (;;) {
    const tags = (await runner.query(`SELECT id, name FROM tag WHERE version_key = '' LIMIT $1`, [BATCH])) as { id: string; name: string }[];
    if (tags.length === 0) return;
    await runner.query(
      'UPDATE tag SET version_key = filled.key FROM unnest($1::bigint[], $2::text[]) AS filled (id, key) WHERE tag.id = filled.id',
      [tags.map((tag) => tag.id), tags.map((tag) => versionKey(tag.name))],
    );
  }
}
