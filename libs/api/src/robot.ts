import { z } from 'zod';
import { text, Timestamp } from './fields.js';

/** One right. `effect` is always "allow": nothing takes away what another line gives. */
const Access = z.object({ resource: text(64), action: text(64), effect: text(64).nullable().optional() }).meta({ id: 'Access' });

/** Rights on the system (`kind` system, `namespace` /) or in a project (`kind` project, `namespace` its name or * for all). */
export const RobotPermission = z.object({
  kind: text(64),
  namespace: text(255),
  access: z.array(Access).max(1000),
}).meta({ id: 'RobotPermission' });
export type RobotPermission = z.infer<typeof RobotPermission>;

/** What a robot can and for how long; `duration` is in days, -1 for ever. The rules are the service's. */
const described = {
  name: text(1024).optional(),
  description: text(1024).nullable().optional(),
  /** Not taken: secrets are made here, or set with PATCH. */
  secret: z.string().max(1024).optional(),
  level: text(64).optional(),
  disable: z.boolean().optional(),
  duration: z.number().int().nullable().optional(),
};

/** Body of POST /robots. */
export const RobotCreate = z.object({ ...described, permissions: z.array(RobotPermission).max(1000).optional() }).meta({ id: 'RobotCreate' });
export type RobotCreate = z.infer<typeof RobotCreate>;

/** Body of PUT /robots/{id}: clients send the whole robot. What is left out stays as it is. */
export const RobotUpdate = z.object({ ...described, permissions: z.array(RobotPermission).max(1000).nullable().optional() }).meta({ id: 'RobotUpdate' });
export type RobotUpdate = z.infer<typeof RobotUpdate>;

/** Body of POST /projects/{p}/robots, the older form. `expires_at` is in seconds since 1970, -1 for never. */
export const RobotCreateV1 = z.object({
  name: text(1024).optional(),
  description: text(1024).nullable().optional(),
  expires_at: z.number().int().nullable().optional(),
  access: z.array(z.object({ resource: text(255), action: text(64), effect: text(64).nullable().optional() })).max(1000).optional(),
}).meta({ id: 'RobotCreateV1' });
export type RobotCreateV1 = z.infer<typeof RobotCreateV1>;

/** The answer to making a robot: the only one, beside refreshing, that has the secret. */
export const RobotCreated = z.object({
  id: z.number().int(),
  name: z.string(),
  secret: z.string(),
  creation_time: Timestamp,
  expires_at: z.number().int(),
}).meta({ id: 'RobotCreated' });
export type RobotCreated = z.infer<typeof RobotCreated>;

/** `name` is what the robot logs in as; `expires_at` is in seconds since 1970, -1 for never. */
export const Robot = z.object({
  id: z.number().int(),
  name: z.string(),
  description: z.string(),
  /** Never sent. */
  secret: z.string().optional(),
  level: z.enum(['system', 'project']),
  duration: z.number().int(),
  editable: z.boolean(),
  disable: z.boolean(),
  expires_at: z.number().int(),
  permissions: z.array(RobotPermission),
  creator_type: z.enum(['local', 'robot']),
  creator_ref: z.number().int(),
  creation_time: Timestamp,
  update_time: Timestamp,
  /** Haven's own: when it logged in last; missing when it never did. */
  last_used_time: Timestamp.optional(),
}).meta({ id: 'Robot' });
export type Robot = z.infer<typeof Robot>;

/** Asks for a new secret: a generated one when `secret` is missing or empty. Answers it, or "" for one that was given. */
export const RobotSec = z.object({ secret: z.string().max(1024).optional() }).meta({ id: 'RobotSec' });
export type RobotSec = z.infer<typeof RobotSec>;
