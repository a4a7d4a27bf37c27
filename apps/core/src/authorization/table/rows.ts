import { artifacts } from './artifacts.js';
import { auditLogs } from './audit-logs.js';
import { groups } from './groups.js';
import { labels } from './labels.js';
import { ldap } from './ldap.js';
import { maintenance } from './maintenance.js';
import { projects } from './projects.js';
import { reconciliations } from './reconciliations.js';
import { registries } from './registries.js';
import { retention } from './retention.js';
import { robots } from './robots.js';
import type { Rows } from './row.js';
import { sessions } from './sessions.js';
import { system } from './system.js';
import { users } from './users.js';
import { webhooks } from './webhooks.js';

/**
 * Who may call what: every route of core with the status that each caller gets, written out by hand from the Harbor
 * API's tables, not from the code's own. The rows of a new area go into a file of their own beside this one.
 */
export const ROWS: Rows = { ...system, ...users, ...projects, ...artifacts, ...labels, ...sessions, ...auditLogs, ...robots, ...groups, ...ldap, ...reconciliations, ...retention, ...maintenance, ...registries, ...webhooks };
