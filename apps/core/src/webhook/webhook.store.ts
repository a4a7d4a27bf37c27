import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database, databaseFault, type Transaction } from '@haven/database';
import type { StoredTarget } from '@haven/execution';
import { mapPage, selectPage, type ListWanted } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';

export interface PolicyRow {
  readonly id: number;
  /** Undefined for a policy of the whole installation. */
  readonly projectId: number | undefined;
  /** Of the whole installation: patterns of the names of projects; none for all. */
  readonly projects: readonly string[];
  readonly name: string;
  readonly description: string;
  readonly targets: readonly StoredTarget[];
  readonly eventTypes: readonly string[];
  readonly enabled: boolean;
  readonly creator: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type PolicyToStore = Pick<PolicyRow, 'name' | 'description' | 'projects' | 'targets' | 'eventTypes' | 'enabled'>;

export interface PolicyList extends ListWanted {
  /** Undefined for those of the whole installation. */
  readonly projectId: number | undefined;
}

interface Row {
  readonly id: number;
  readonly project_id: number | null;
  readonly projects: string[];
  readonly name: string;
  readonly description: string;
  readonly targets: StoredTarget[];
  readonly event_types: string[];
  readonly enabled: boolean;
  readonly creator: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** An advisory lock: held while a policy of the whole installation, which has no row of its own, is made. */
const SYSTEM_POLICIES_LOCK = 4_273_077;

const FIELDS = 'w.id, w.project_id, w.projects, w.name, w.description, w.targets, w.event_types, w.enabled, w.creator, w.created_at, w.updated_at';

const COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'w.id', type: 'number' }],
  ['name', { sql: 'w.name', type: 'text' }],
  ['description', { sql: 'w.description', type: 'text' }],
  ['enabled', { sql: 'w.enabled', type: 'boolean' }],
  ['creator', { sql: 'w.creator', type: 'text' }],
  ['creation_time', { sql: 'w.created_at', type: 'time' }],
  ['update_time', { sql: 'w.updated_at', type: 'time' }],
]);

@Injectable()
export class WebhookStore {
  constructor(private readonly database: Database) {}

  async list({ projectId, terms, sort, page, size }: PolicyList): Promise<Page<PolicyRow>> {
    const conditions = new SqlConditions();
    conditions.add(projectId === undefined ? 'w.project_id IS NULL' : `w.project_id = ${conditions.value(projectId)}`);
    conditions.query(terms, COLUMNS);
    const order = orderBy(sort, COLUMNS, 'w.created_at DESC', 'w.id');
    return mapPage(await selectPage<Row>(this.database, { fields: FIELDS, from: 'webhook_policy w', conditions, order, page, size }), policyRow);
  }

  /** The policy, when it is one of the project's or, without a project, of the whole installation. */
  async find(projectId: number | undefined, id: number): Promise<PolicyRow | undefined> {
    const [row] = await this.database.query<Row>(`SELECT ${FIELDS} FROM webhook_policy w WHERE w.id = $1 AND w.project_id IS NOT DISTINCT FROM $2::int`, [id, projectId ?? null]);
    return row && policyRow(row);
  }

  /** When each kind of event was told last, for every policy of the project. */
  async lastTriggers(projectId: number): Promise<{ readonly name: string; readonly type: string; readonly enabled: boolean; readonly createdAt: Date; readonly at: Date | undefined }[]> {
    const rows = await this.database.query<{ name: string; type: string; enabled: boolean; created_at: Date; at: Date | null }>(
      `SELECT w.name, e.type, w.enabled, w.created_at,
         (SELECT d.created_at FROM webhook_delivery d WHERE d.policy_id = w.id AND d.event_type = e.type ORDER BY d.created_at DESC LIMIT 1) AS at
       FROM webhook_policy w CROSS JOIN LATERAL unnest(w.event_types) AS e (type) WHERE w.project_id = $1 ORDER BY w.name, e.type`,
      [projectId],
    );
    return rows.map((row) => ({ name: row.name, type: row.type, enabled: row.enabled, createdAt: row.created_at, at: row.at ?? undefined }));
  }
}

/** How many policies the project, or the installation, has; others who make one wait until the transaction ends. */
export async function countPolicies(transaction: Transaction, projectId: number | undefined): Promise<number> {
  if (projectId === undefined) await transaction.query('SELECT pg_advisory_xact_lock($1)', [SYSTEM_POLICIES_LOCK]);
  else await transaction.query('SELECT 1 FROM project WHERE id = $1 FOR NO KEY UPDATE', [projectId]);
  const [row] = await transaction.query<{ count: number }>('SELECT count(*)::int AS count FROM webhook_policy WHERE project_id IS NOT DISTINCT FROM $1::int', [projectId ?? null]);
  return row?.count ?? 0;
}

export async function nextPolicyId(transaction: Transaction): Promise<number> {
  const [row] = await transaction.query<{ id: string }>(`SELECT nextval(pg_get_serial_sequence('webhook_policy', 'id')) AS id`);
  return Number(row?.id);
}

/** False when the project, or the installation, has a policy of that name. */
export async function insertPolicy(transaction: Transaction, id: number, projectId: number | undefined, creator: string, policy: PolicyToStore): Promise<boolean> {
  const { name, description, projects, targets, eventTypes, enabled } = policy;
  return (await transaction.execute(
    `INSERT INTO webhook_policy (id, project_id, creator, name, description, targets, event_types, enabled, projects)
     SELECT $1::int, $2::int, $3, $4, $5, $6::jsonb, $7::text[], $8::boolean, $9::text[]
     WHERE $2::int IS NULL OR EXISTS (SELECT 1 FROM project p WHERE p.id = $2 AND p.deleted_at IS NULL) ON CONFLICT DO NOTHING`,
    [id, projectId ?? null, creator, name, description, JSON.stringify(targets), eventTypes, enabled, projects],
  )) > 0;
}

export async function updatePolicy(transaction: Transaction, id: number, { name, description, projects, targets, eventTypes, enabled }: PolicyToStore): Promise<'updated' | 'gone' | 'taken'> {
  try {
    const updated = await transaction.execute(
      'UPDATE webhook_policy SET name = $2, description = $3, targets = $4, event_types = $5, enabled = $6, projects = $7, updated_at = now() WHERE id = $1',
      [id, name, description, JSON.stringify(targets), eventTypes, enabled, projects],
    );
    return updated > 0 ? 'updated' : 'gone';
  } catch (error) {
    if (databaseFault(error) === 'duplicate') return 'taken';
    throw error;
  }
}

/** Whether it was there. */
export async function deletePolicy(transaction: Transaction, id: number): Promise<boolean> {
  return (await transaction.execute('DELETE FROM webhook_policy WHERE id = $1', [id])) > 0;
}

function policyRow(row: Row): PolicyRow {
  return {
    id: row.id, projectId: row.project_id ?? undefined, projects: row.projects, name: row.name, description: row.description, targets: row.targets, eventTypes: row.event_types, enabled: row.enabled,
    creator: row.creator, createdAt: row.created_at, updatedAt: row.updated_at,
  };
}
