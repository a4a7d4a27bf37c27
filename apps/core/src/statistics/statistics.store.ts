import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';
import { restrictToVisible, type VisibleProjects } from '../authorization/role-sql.js';
import { SqlConditions } from '../listing/sql-conditions.js';

export interface Counts {
  readonly publicProjects: number;
  readonly privateProjects: number;
  readonly publicRepositories: number;
  readonly privateRepositories: number;
}

interface Row {
  readonly public: boolean;
  readonly projects: number;
  readonly repositories: number;
}

@Injectable()
export class StatisticsStore {
  constructor(private readonly database: Database) {}

  /** How many projects and repositories there are among those that the caller may see. */
  async counts(visible: VisibleProjects): Promise<Counts> {
    const conditions = new SqlConditions();
    conditions.add('p.deleted_at IS NULL');
    restrictToVisible(conditions, visible);
    const rows = await this.database.query<Row>(
      `SELECT p.public, count(*)::int AS projects, coalesce(sum(held.repositories), 0)::int AS repositories FROM project p
       LEFT JOIN (SELECT project_id, count(*) AS repositories FROM repository WHERE deleted_at IS NULL GROUP BY project_id) held ON held.project_id = p.id
       WHERE ${conditions.toSql()} GROUP BY p.public`,
      conditions.parameters,
    );
    const [shown, hidden] = [rows.find((row) => row.public), rows.find((row) => !row.public)];
    return {
      publicProjects: shown?.projects ?? 0, privateProjects: hidden?.projects ?? 0,
      publicRepositories: shown?.repositories ?? 0, privateRepositories: hidden?.repositories ?? 0,
    };
  }

  /** Bytes of all blobs in storage, each counted once. */
  async bytesInStorage(): Promise<number> {
    const [row] = await this.database.query<{ bytes: string }>(`SELECT coalesce(sum(size), 0) AS bytes FROM blob WHERE state = 'present'`);
    return Number(row?.bytes ?? 0);
  }
}
