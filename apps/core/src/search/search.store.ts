import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';
import type { SearchRepository } from '@haven/api';
import { listedArtifact } from '../artifact/listed-artifact.js';
import { restrictToVisible, type VisibleProjects } from '../authorization/role-sql.js';
import { SqlConditions } from '../listing/sql-conditions.js';

interface Row {
  readonly project_id: number;
  readonly project_name: string;
  readonly project_public: boolean;
  readonly name: string;
  readonly pull_count: string;
  readonly artifacts: number;
}

@Injectable()
export class SearchStore {
  constructor(private readonly database: Database) {}

  /** The first repositories, by name, whose name (with its project) holds the text. */
  async repositories(text: string, visible: VisibleProjects, most: number): Promise<SearchRepository[]> {
    const conditions = new SqlConditions();
    conditions.add('r.deleted_at IS NULL AND p.deleted_at IS NULL');
    // Names are in lower case, so that a plain LIKE will do; it costs a tenth of one that ignores the case.
    conditions.add(`r.name LIKE ${conditions.value(`%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`)}`);
    restrictToVisible(conditions, visible);
    const rows = await this.database.query<Row>(
      `SELECT p.id AS project_id, p.name AS project_name, p.public AS project_public, r.name, r.pull_count,
         (SELECT count(*)::int FROM manifest a WHERE ${listedArtifact('r.id')}) AS artifacts
       FROM repository r JOIN project p ON p.id = r.project_id WHERE ${conditions.toSql()} ORDER BY r.name LIMIT ${most}`,
      conditions.parameters,
    );
    return rows.map((row) => ({
      project_id: row.project_id, project_name: row.project_name, project_public: row.project_public, repository_name: row.name,
      pull_count: Number(row.pull_count), artifact_count: row.artifacts,
    }));
  }
}
