import { Injectable } from '@nestjs/common';
import { parseSubjectId } from '@haven/access';
import { Database } from '@haven/database';

/** Users by id, and robots, whose names are given without the installation's prefix. */
export interface ActorNames {
  readonly users: ReadonlyMap<number, string>;
  readonly robots: ReadonlyMap<number, { readonly name: string; readonly project: string | undefined }>;
}

@Injectable()
export class ActorNamesStore {
  constructor(private readonly database: Database) {}

  /** The names behind subjects such as `user:3`; those that are gone for good are left out. */
  async find(subjects: readonly string[]): Promise<ActorNames> {
    const [users, robots] = await Promise.all([
      this.database.query<{ id: number; name: string }>('SELECT id, username AS name FROM haven_user WHERE id = ANY($1::int[])', [idsOf(subjects, 'user')]),
      this.database.query<{ id: number; name: string; project: string | null }>(
        'SELECT r.id, r.name, p.name AS project FROM robot r LEFT JOIN project p ON p.id = r.project_id WHERE r.id = ANY($1::int[])', [idsOf(subjects, 'robot')],
      ),
    ]);
    return {
      users: new Map(users.map(({ id, name }) => [id, name])),
      robots: new Map(robots.map(({ id, name, project }) => [id, { name, project: project ?? undefined }])),
    };
  }
}

function idsOf(subjects: readonly string[], kind: 'user' | 'robot'): number[] {
  const ids = subjects.flatMap((text) => {
    const subject = parseSubjectId(text);
    return subject?.kind === kind && subject.id <= 2_147_483_647 ? [subject.id] : [];
  });
  return [...new Set(ids)];
}
