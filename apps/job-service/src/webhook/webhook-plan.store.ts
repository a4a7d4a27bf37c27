import type { Queryable, Transaction } from '@haven/database';
import type { WebhookTargetType } from '@haven/execution';
import type { DeliveredEvent } from '@haven/messages';
import type { DeletedArtifact, ToldEvent } from './notifications.js';

/** A policy that is in force. */
export interface PolicyRow {
  readonly id: number;
  /** Undefined for one of the whole installation. */
  readonly projectId: number | undefined;
  /** Of the whole installation: patterns of the names of projects; none for all. */
  readonly projects: readonly string[];
  readonly eventTypes: readonly string[];
  readonly targetTypes: readonly WebhookTargetType[];
}

export interface ProjectRow {
  readonly id: number;
  readonly name: string;
  readonly public: boolean;
}

/** An event that waits to be told, with its place in the order of all events. */
export interface WaitingEvent {
  readonly place: string;
  readonly event: DeliveredEvent;
}

/** The policies of these projects, and of the whole installation, that are in force. */
export async function policiesFor(database: Queryable, projectIds: readonly number[]): Promise<PolicyRow[]> {
  const rows = await database.query<{ id: number; project_id: number | null; projects: string[]; event_types: string[]; target_types: WebhookTargetType[] }>(
    `SELECT w.id, w.project_id, w.projects, w.event_types,
       ARRAY(SELECT t.target->>'type' FROM jsonb_array_elements(w.targets) WITH ORDINALITY AS t (target, place) ORDER BY t.place) AS target_types
     FROM webhook_policy w LEFT JOIN project p ON p.id = w.project_id
     WHERE w.enabled AND (w.project_id IS NULL OR (w.project_id = ANY($1::int[]) AND p.deleted_at IS NULL)) ORDER BY w.id`,
    [projectIds],
  );
  return rows.map((row) => ({ id: row.id, projectId: row.project_id ?? undefined, projects: row.projects, eventTypes: row.event_types, targetTypes: row.target_types }));
}

/** Projects by their ids, those too that are gone. */
export async function projectsById(database: Queryable, ids: readonly number[]): Promise<ReadonlyMap<number, ProjectRow>> {
  const rows = await database.query<ProjectRow>('SELECT id, name, public FROM project WHERE id = ANY($1::int[])', [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Whether deliveries of one of these events are missing. */
export async function someUnplanned(database: Queryable, eventIds: readonly string[]): Promise<boolean> {
  const rows = await database.query('SELECT FROM unnest($1::uuid[]) AS event (id) WHERE NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.event_id = event.id) LIMIT 1', [eventIds]);
  return rows.length > 0;
}

export interface WaitingWanted {
  /** Nothing that happened after all of these. */
  readonly eventIds: readonly string[];
  readonly subjects: readonly string[];
  readonly types: readonly ToldEvent[];
  /** A place; nothing up to it. */
  readonly after: string;
  readonly limit: number;
}

/** Events about the subjects that nobody has handled yet and of which no delivery exists, in the order in which they happened. */
export async function waitingEvents(transaction: Transaction, { eventIds, subjects, types, after, limit }: WaitingWanted): Promise<WaitingEvent[]> {
  const rows = await transaction.query<{ id: string; event_id: string; type: ToldEvent; payload: DeliveredEvent['payload']; actor: string; origin: DeliveredEvent['origin']; created_at: Date }>(
    `SELECT o.id, o.event_id, o.type, o.payload, o.actor, o.origin, o.created_at FROM outbox o
     WHERE o.handled_at IS NULL AND o.id > $4 AND o.id <= (SELECT max(b.id) FROM outbox b WHERE b.handled_at IS NULL AND b.event_id = ANY($1::uuid[]))
       AND o.type = ANY($2::text[]) AND coalesce(o.payload->>'repository', o.payload->>'name', o.payload->>'project') = ANY($3::text[])
       AND NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.event_id = o.event_id) ORDER BY o.id LIMIT $5`,
    [eventIds, types, subjects, after, limit],
  );
  return rows.map(({ id, event_id: eventId, type, payload, actor, origin, created_at: createdAt }) => ({ place: id, event: { id: eventId, type, payload, actor, origin, createdAt } }));
}

/** When the repositories were made, those that are there. */
export async function repositoryTimes(transaction: Transaction, names: readonly string[]): Promise<ReadonlyMap<string, Date>> {
  const rows = await transaction.query<{ name: string; created_at: Date }>('SELECT name, created_at FROM repository WHERE name = ANY($1::text[]) AND deleted_at IS NULL', [names]);
  return new Map(rows.map((row) => [row.name, row.created_at]));
}

/** The artifacts that went with deleted repositories, by the entries of the bin, but for what hung on others of them. */
export async function deletedArtifacts(transaction: Transaction, entries: readonly string[], mostOfEach: number): Promise<ReadonlyMap<string, readonly DeletedArtifact[]>> {
  const found = new Map<string, DeletedArtifact[]>();
  for (const entry of entries) {
    const [binned] = await transaction.query<{ tags: { readonly name: string; readonly digest: string }[] }>('SELECT tags FROM bin_entry WHERE id = $1', [entry]);
    const tags = new Map<string, string[]>();
    for (const { name, digest } of binned?.tags ?? []) tags.set(digest, [...(tags.get(digest) ?? []), name]);
    const rows = await transaction.query<{ digest: string }>(
      `SELECT m.digest FROM bin_manifest bm JOIN manifest m ON m.id = bm.manifest_id
       WHERE bm.entry_id = $1 AND NOT EXISTS (SELECT FROM accessory a WHERE a.manifest_id = m.id)
         AND (m.digest = ANY($2::text[]) OR NOT EXISTS (
           SELECT FROM manifest_reference r JOIN bin_manifest parent ON parent.entry_id = $1 AND parent.manifest_id = r.parent_id
           WHERE r.repository_id = m.repository_id AND r.child_digest = m.digest))
       ORDER BY m.id LIMIT $3`,
      [entry, [...tags.keys()], mostOfEach],
    );
    found.set(entry, rows.map(({ digest }) => ({ digest, tags: tags.get(digest) ?? [] })));
  }
  return found;
}
