import { z } from 'zod';

const projectId = z.int().positive();
const repository = z.object({ project: projectId, repository: z.string().min(1).max(255) });
const digest = z.string().min(1).max(200);
const tag = z.string().min(1).max(128);
const project = z.object({ project: projectId, name: z.string().max(255).optional() });
const user = z.object({ user: z.int().positive(), name: z.string().max(255).optional() });
const bytes = z.int().nonnegative();
/** `tags` are those of what was being pushed, if anybody knows. */
const quota = repository.extend({ digest: digest.optional(), tags: z.array(tag).max(1000).optional(), used: bytes, hard: bytes });

/**
 * Everything that can happen, with what is told about it. `project` and `user` are ids; `repository` is the full name.
 * Events are committed to the outbox together with the change itself. Payloads may gain fields, never lose them.
 */
export const EVENTS = {
  'artifact.pushed': repository.extend({ digest, tags: z.array(tag).max(10_000), mediaType: z.string().max(255), artifactType: z.string().max(255) }),
  /** `count` pulls by the same caller, told together. */
  'artifact.pulled': repository.extend({ digest, tag: tag.optional(), count: z.int().positive().optional() }),
  /** `tags` went with it; the first 1000 of them. */
  'artifact.deleted': repository.extend({ digest, tags: z.array(tag).max(1000).optional() }),
  /** It came back from the bin; its tags are told of one by one. */
  'artifact.restored': repository.extend({ digest }),
  'tag.created': repository.extend({ tag, digest }),
  'tag.moved': repository.extend({ tag, from: digest, digest }),
  'tag.deleted': repository.extend({ tag, digest }),
  'repository.created': repository,
  /** `binEntry` is the id of its entry in the bin, where its artifacts are found. */
  'repository.deleted': repository.extend({ binEntry: z.string().regex(/^\d{1,19}$/).optional() }),
  'repository.restored': repository,
  'project.created': project,
  'project.deleted': project,
  'project.visibility-changed': project.extend({ public: z.boolean() }),
  'member.changed': project.extend({ user: z.int().positive().optional(), group: z.int().positive().optional() }),
  /** Something was refused because the project is full: told once, until something was freed, the limit was changed or a day has passed. */
  'quota.exceeded': quota.extend({ added: bytes, message: z.string().max(1024) }),
  /** The project reached 85 % of its limit; told again only after it was below. */
  'quota.warned': quota,
  /** A retention policy was applied to a repository and something was deleted: the first 1000 of it are listed. */
  'retention.finished': repository.extend({
    policy: z.int().positive(), execution: z.int().positive(), task: z.int().positive(), trigger: z.string().max(32),
    total: z.int().nonnegative(), retained: z.int().nonnegative(),
    rules: z.array(z.record(z.string(), z.unknown())).max(100),
    deleted: z.array(z.object({ digest, kind: z.string().max(255), tags: z.array(tag).max(100) })).max(1000),
  }),
  'user.created': user,
  'user.changed': user,
  'user.deleted': user,
  /**
   * An administrative change, a login, or a failed attempt at one, for the audit trail. `resource` names what it was
   * done to; `project` is missing for what belongs to none. Never holds a secret.
   */
  'audit.recorded': z.object({
    operation: z.string().min(1).max(64),
    resourceType: z.string().min(1).max(64),
    resource: z.string().max(1024),
    description: z.string().max(2048),
    result: z.boolean(),
    project: projectId.optional(),
  }),
} as const satisfies Record<string, z.ZodObject>;

export type EventName = keyof typeof EVENTS;
export type EventPayload<N extends EventName = EventName> = z.infer<(typeof EVENTS)[N]>;

/** An event on its way to its subscribers. `id` is unique for ever: subscribers are idempotent by it. */
export interface DeliveredEvent<N extends EventName = EventName> {
  readonly id: string;
  readonly type: N;
  readonly payload: EventPayload<N>;
  /** Who caused it, such as `user:3`; empty for the platform itself. */
  readonly actor: string;
  /** The causer's name and address and the id of the request; empty for the platform's own work. */
  readonly origin: { readonly name?: string | undefined; readonly address?: string | undefined; readonly requestId?: string | undefined };
  readonly createdAt: Date;
}

/** Whether this is the name of an event that this build knows. */
export function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name);
}
