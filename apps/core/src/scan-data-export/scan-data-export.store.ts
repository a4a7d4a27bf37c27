import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';

@Injectable()
export class ScanDataExportStore {
  constructor(private readonly database: Database) {}

  /** Whether all of these labels can be on artifacts of the project: its own, and those of the whole installation. */
  async areLabelsOf(projectId: number, labels: readonly number[]): Promise<boolean> {
    const wanted = [...new Set(labels)];
    const [row] = await this.database.query<{ found: number }>(
      'SELECT count(*)::int AS found FROM label WHERE id = ANY($1::bigint[]) AND (project_id IS NULL OR project_id = $2)', [wanted, projectId]);
    return row?.found === wanted.length;
  }
}
