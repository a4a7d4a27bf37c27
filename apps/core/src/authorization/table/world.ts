import { grantableProjectPermissions, grantableSystemPermissions, projectRobotPermissions } from '@haven/access';
import type { Database } from '@haven/database';
import { hashGeneratedSecret } from '../../identity/robot-secret.js';
import { Pusher } from '../../testing/push.js';
import { startTestCore, type Call, type TestCore } from '../../testing/test-core.js';
import type { CallerLetter, Place } from './row.js';

const ROBOT_SECRET = 'Robot-secret-0123456789-abcdefgh';
/** No route needs it, so the robot that has only this may do nothing. */
const USELESS = [{ resource: 'preheat-policy', action: 'list' }];

const PEOPLE: readonly { readonly letter: CallerLetter; readonly name: string; readonly role?: number }[] = [
  { letter: 'n', name: 'nora' }, { letter: 'l', name: 'lars', role: 5 }, { letter: 'g', name: 'gina', role: 3 }, { letter: 'd', name: 'dave', role: 2 },
  { letter: 'm', name: 'mary', role: 4 }, { letter: 'p', name: 'paul', role: 1 }, { letter: 's', name: 'sara' },
];

export interface World {
  readonly core: TestCore;
  readonly public: Place;
  readonly private: Place;
  /** How this caller asks in that place; robots of a project belong to the one asked about. */
  as(letter: CallerLetter, place: Place): Call;
  stop(): Promise<void>;
}

/** A public and a private project with the same people, robots and content. */
export async function createWorld(): Promise<World> {
  const core = await startTestCore();
  const members: Record<string, number> = {};
  for (const { letter, name, role } of PEOPLE) {
    await core.addUser(name, { sysadmin: letter === 's' });
    if (role !== undefined) members[name] = role;
  }
  const bystander = await core.addUser('otto');
  const place = async (project: string, isPublic: boolean): Promise<Place> => {
    const projectId = await core.addProject(project, { public: isPublic, members });
    await new Pusher(core.database, projectId).image(`${project}/app`, 'content', ['1']);
    await addRobot(core.database, { name: 'able', level: 'project', projectId, project: projectRobotPermissions });
    await addRobot(core.database, { name: 'useless', level: 'project', projectId, project: USELESS });
    return { core, database: core.database, project, projectId, bystander };
  };
  const [open, closed] = [await place('open-project', true), await place('closed-project', false)];
  await addRobot(core.database, { name: 'steward', level: 'system', project: grantableProjectPermissions, system: grantableSystemPermissions });
  return { core, public: open, private: closed, as: credentials, stop: () => core.stop() };
}

function credentials(letter: CallerLetter, { project }: Place): Call {
  switch (letter) {
    case 'a': return {};
    case '+': return { as: `robot$${project}+able`, password: ROBOT_SECRET };
    case '-': return { as: `robot$${project}+useless`, password: ROBOT_SECRET };
    case 'y': return { as: 'robot$steward', password: ROBOT_SECRET };
    default: return { as: PEOPLE.find((one) => one.letter === letter)?.name };
  }
}

interface NewRobot {
  readonly name: string;
  readonly level: 'system' | 'project';
  readonly projectId?: number;
  readonly project?: readonly Grant[];
  readonly system?: readonly Grant[];
}

interface Grant {
  readonly resource: string;
  readonly action: string;
}

async function addRobot(database: Database, { name, level, projectId, project = [], system = [] }: NewRobot): Promise<void> {
  const [row] = await database.query<{ id: number }>(
    `INSERT INTO robot (name, level, project_id, secret_hash, duration) VALUES ($1, $2, $3, $4, -1) RETURNING id`,
    [name, level, projectId ?? null, hashGeneratedSecret(ROBOT_SECRET)],
  );
  const grants = [...project.map((grant) => ({ ...grant, kind: 'project' })), ...system.map((grant) => ({ ...grant, kind: 'system' }))];
  await database.execute(
    `INSERT INTO robot_permission (robot_id, kind, project_id, resource, action)
     SELECT $1, g.kind, CASE WHEN g.kind = 'project' THEN $2::int END, g.resource, g.action FROM json_to_recordset($3) AS g (kind text, resource text, action text)`,
    [row?.id ?? 0, projectId ?? null, JSON.stringify(grants)],
  );
}
