import { expectOutcome } from './outcome.mjs';
import { ROLES, USERS } from './world.mjs';

/** Gives somebody a role, another one, or none. */
export async function changeMember(world) {
  const project = world.someProject();
  const user = world.random.pick(USERS);
  const role = world.random.happens(0.7) ? world.random.pick(Object.keys(ROLES)) : undefined;
  const path = `/projects/${project.name}/members`;
  const { body: members } = await world.admin.api('GET', `${path}?page_size=100`);
  const member = members.find(({ entity_name: name }) => name === user);
  expectOutcome(`membership of ${user} in ${project.name}`, member?.role_name, project.members.get(user));
  const what = `${user} becomes ${role ?? 'nothing'} in ${project.name}`;
  if (role === undefined) {
    if (member) expectOutcome(what, (await world.admin.api('DELETE', `${path}/${member.id}`)).status, 200);
    project.members.delete(user);
  } else {
    const { status } = member
      ? await world.admin.api('PUT', `${path}/${member.id}`, { role_id: ROLES[role] })
      : await world.admin.api('POST', path, { role_id: ROLES[role], member_user: { username: user } });
    expectOutcome(what, status, member ? 200 : 201);
    project.members.set(user, role);
  }
  return what;
}

export async function changeVisibility(world) {
  const project = world.someProject();
  const { status } = await world.admin.api('PUT', `/projects/${project.name}`, { metadata: { public: String(!project.isPublic) } });
  expectOutcome(`visibility of ${project.name}`, status, 200);
  project.isPublic = !project.isPublic;
  return `${project.name} becomes ${project.isPublic ? 'public' : 'private'}`;
}

/** Limits a project close to what it uses, or not at all. */
export async function changeQuota(world) {
  const project = world.someProject();
  const limit = world.random.happens(0.5) ? -1 : Math.max(1, project.used() + world.random.whole(-10_000, 30_000));
  const { status } = await world.admin.api('PUT', `/quotas/${project.id}`, { hard: { storage: limit } });
  expectOutcome(`quota of ${project.name}`, status, 200);
  project.limit = limit;
  return `the quota of ${project.name} becomes ${limit}`;
}
