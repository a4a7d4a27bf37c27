import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database, databaseFault, type Transaction } from '@haven/database';
import { mapPage, selectPage, type ListWanted } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';
import type { LabelScope, LabelText } from './label-rules.js';

export interface LabelRow extends LabelText {
  readonly id: number;
  readonly scope: 'g' | 'p';
  /** 0 for labels of the installation. */
  readonly projectId: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface LabelList extends ListWanted {
  readonly scope: LabelScope;
  /** A part of the name. */
  readonly name: string | undefined;
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly color: string;
  readonly scope: 'g' | 'p';
  readonly project_id: number | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'l.id', type: 'number' }],
  ['name', { sql: 'l.name', type: 'text' }],
  ['description', { sql: 'l.description', type: 'text' }],
  ['color', { sql: 'l.color', type: 'text' }],
  ['creation_time', { sql: 'l.created_at', type: 'time' }],
  ['update_time', { sql: 'l.updated_at', type: 'time' }],
]);

const FIELDS = 'l.id, l.name, l.description, l.color, l.scope, l.project_id, l.created_at, l.updated_at';
/** A label of a deleted project is as gone as its project. */
const LIVE = '(l.project_id IS NULL OR EXISTS (SELECT 1 FROM project p WHERE p.id = l.project_id AND p.deleted_at IS NULL))';

@Injectable()
export class LabelStore {
  constructor(private readonly database: Database) {}

  async list({ scope, name, terms, sort, page, size }: LabelList): Promise<Page<LabelRow>> {
    const conditions = new SqlConditions();
    conditions.add(scope.scope === 'g' ? 'l.project_id IS NULL' : `l.project_id = ${conditions.value(scope.projectId)}`);
    if (name !== undefined && name !== '') conditions.contains('l.name', name);
    conditions.query(terms, COLUMNS);
    const order = orderBy(sort, COLUMNS, 'l.name', 'l.id');
    return mapPage(await selectPage<Row>(this.database, { fields: FIELDS, from: 'label l', conditions, order, page, size }), labelRow);
  }

  async find(id: number): Promise<LabelRow | undefined> {
    const [row] = await this.database.query<Row>(`SELECT ${FIELDS} FROM label l WHERE l.id = $1 AND ${LIVE}`, [id]);
    return row && labelRow(row);
  }

  /** Labels by the artifacts that wear them, in the order of their names. */
  async ofArtifacts(artifactIds: readonly number[]): Promise<{ readonly artifactId: number; readonly label: LabelRow }[]> {
    const rows = await this.database.query<Row & { readonly manifest_id: string }>(
      `SELECT al.manifest_id, ${FIELDS} FROM artifact_label al JOIN label l ON l.id = al.label_id WHERE al.manifest_id = ANY($1::bigint[]) ORDER BY l.name, l.id`,
      [artifactIds],
    );
    return rows.map((row) => ({ artifactId: Number(row.manifest_id), label: labelRow(row) }));
  }
}

/** Resolves to the new label's id; undefined when the name is taken. */
export async function insertLabel(transaction: Transaction, scope: LabelScope, { name, description, color }: LabelText): Promise<number | undefined> {
  const [row] = await transaction.query<{ id: number }>(
    `INSERT INTO label (name, description, color, scope, project_id) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (coalesce(project_id, 0), name) DO NOTHING RETURNING id`,
    [name, description, color, scope.scope, scope.scope === 'p' ? scope.projectId : null],
  );
  return row?.id;
}

/** 'taken' when another label of the same scope has the name. */
export async function updateLabel(transaction: Transaction, id: number, { name, description, color }: LabelText): Promise<'updated' | 'gone' | 'taken'> {
  try {
    const updated = await transaction.execute('UPDATE label SET name = $2, description = $3, color = $4, updated_at = now() WHERE id = $1', [id, name, description, color]);
    return updated > 0 ? 'updated' : 'gone';
  } catch (error) {
    if (databaseFault(error) === 'duplicate') return 'taken';
    throw error;
  }
}

/** Takes the label away, also from every artifact; whether it was there. */
export async function deleteLabel(transaction: Transaction, id: number): Promise<boolean> {
  return (await transaction.execute('DELETE FROM label WHERE id = $1', [id])) > 0;
}

/** Puts a label on an artifact. The label must be global or of that project; a label elsewhere is as good as none. */
export async function attachLabel(transaction: Transaction, artifactId: number, labelId: number, projectId: number): Promise<{ readonly name: string; readonly added: boolean } | undefined> {
  const [label] = await transaction.query<{ name: string }>('SELECT name FROM label WHERE id = $1 AND (project_id IS NULL OR project_id = $2) FOR KEY SHARE', [labelId, projectId]);
  if (label === undefined) return undefined;
  const added = await transaction.execute(
    `INSERT INTO artifact_label (manifest_id, label_id)
     SELECT m.id, $2 FROM manifest m WHERE m.id = $1 AND m.deleted_at IS NULL FOR KEY SHARE ON CONFLICT DO NOTHING`,
    [artifactId, labelId],
  );
  return { name: label.name, added: added > 0 };
}

/** Takes a label off an artifact; resolves to its name, or undefined when the artifact did not have it. */
export async function detachLabel(transaction: Transaction, artifactId: number, labelId: number): Promise<string | undefined> {
  const [row] = await transaction.query<{ name: string }>(
    'DELETE FROM artifact_label al USING label l WHERE al.manifest_id = $1 AND al.label_id = $2 AND l.id = al.label_id RETURNING l.name',
    [artifactId, labelId],
  );
  return row?.name;
}

function labelRow(row: Row): LabelRow {
  return {
    id: row.id, name: row.name, description: row.description, color: row.color, scope: row.scope, projectId: row.project_id ?? 0,
    createdAt: row.created_at, updatedAt: row.updated_at,
  };
}
