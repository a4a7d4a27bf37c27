import { repositoryPath } from './actors.mjs';
import { expectOutcome, refusal, REFUSED } from './outcome.mjs';

/** Deletes a tag over the REST API. */
export async function deleteTag(world) {
  const found = world.someRepository((repository) => repository.tags.size > 0);
  if (!found) return 'no tag to delete';
  const { project, repository } = found;
  const actor = world.someone(project, 'mayDelete');
  const [tag, digest] = world.random.pick(repository.tags);
  const { status } = await actor.api('DELETE', `${repositoryPath(project.name, repository.name)}/artifacts/${digest}/tags/${tag}`);
  const what = `delete of tag ${repository.name}:${tag} by ${actor.name}`;
  expectOutcome(what, status, project.mayDelete(actor.name) ? 200 : refusal(actor));
  if (status === 200) project.deleteTag(repository, tag);
  return what;
}

/** Deletes an artifact with what hangs on it, over the REST API. */
export async function deleteArtifact(world) {
  const found = world.someRepository();
  if (!found) return 'no artifact to delete';
  const { project, repository } = found;
  const actor = world.someone(project, 'mayDelete');
  const item = world.random.pick(repository.manifests.values());
  const { status } = await actor.api('DELETE', `${repositoryPath(project.name, repository.name)}/artifacts/${item.digest}`);
  return deleted(project, repository, actor, item, status, { cascade: true, refused: refusal(actor), referenced: 412, done: 200 });
}

/** Deletes a manifest alone, as registry clients do. */
export async function deleteManifest(world) {
  const found = world.someRepository();
  if (!found) return 'no manifest to delete';
  const { project, repository } = found;
  const actor = world.someone(project, 'mayDelete');
  const item = world.random.pick(repository.manifests.values());
  const status = await actor.deleteManifest(repository.name, item.digest);
  return deleted(project, repository, actor, item, status, { cascade: false, refused: REFUSED, referenced: [403, 405, 409, 412], done: 202 });
}

function deleted(project, repository, actor, item, status, { cascade, refused, referenced, done }) {
  const what = `delete of ${repository.name}@${item.digest.slice(7, 15)} by ${actor.name}`;
  if (!project.mayDelete(actor.name)) expectOutcome(what, status, refused);
  else if (repository.parentsOf(item.digest).length > 0) expectOutcome(what, status, referenced);
  else {
    expectOutcome(what, status, done);
    project.deleteArtifact(repository, item, { cascade });
  }
  return what;
}

export async function deleteRepository(world) {
  const found = world.someRepository(() => true);
  if (!found) return 'no repository to delete';
  const { project, repository } = found;
  const actor = world.someone(project, 'mayDelete');
  const { status } = await actor.api('DELETE', repositoryPath(project.name, repository.name));
  const what = `delete of repository ${repository.name} by ${actor.name}`;
  expectOutcome(what, status, project.mayDelete(actor.name) ? 200 : refusal(actor));
  if (status === 200) project.deleteRepository(repository);
  return what;
}

/** Undoes one of the deletions that the bin holds. */
export async function restore(world) {
  const project = world.random.pick([...world.projects.values()].filter(({ bin }) => bin.length > 0));
  if (!project) return 'nothing to restore';
  const actor = world.someone(project, 'mayDelete');
  const index = world.random.whole(0, project.bin.length - 1);
  const entry = project.bin[index];
  const id = (await binOf(world, project))[index].id;
  const { status, body } = await actor.api('POST', `/projects/${project.name}/bin/${id}/restore`);
  const what = `restore of ${entry.kind} ${entry.repository.name}${entry.tag ? `:${entry.tag}` : ''} by ${actor.name}`;
  if (!project.mayDelete(actor.name)) expectOutcome(what, status, refusal(actor));
  else {
    const outcome = project.restore(entry);
    expectOutcome(`${what} (${outcome}) ${JSON.stringify(body)}`, status, { restored: 200, kept: [200, 409], conflict: 409, quota: 403 }[outcome]);
  }
  return what;
}

/** The bin as the server shows it, oldest first. */
export async function binOf(world, project) {
  const entries = [];
  for (let page = 1; ; page += 1) {
    const { status, body } = await world.admin.api('GET', `/projects/${project.name}/bin?page=${page}&page_size=100`);
    expectOutcome(`bin of ${project.name}`, status, 200);
    entries.push(...body);
    if (body.length < 100) return entries.reverse();
  }
}

/** Lets a tag name something that it named before, or never did. */
export async function rollBack(world) {
  const found = world.someRepository((repository) => repository.history.length > 0);
  if (!found) return 'nothing to roll back';
  const { project, repository } = found;
  const actor = world.someone(project, 'mayDelete');
  const [tag, , , to] = world.random.pick(repository.history);
  const digest = to ?? world.random.pick(world.content.images).digest;
  const { status, body } = await actor.api('POST', `${repositoryPath(project.name, repository.name)}/tags/${tag}/rollback`, { digest });
  const what = `roll back of ${repository.name}:${tag} to ${digest.slice(7, 15)} by ${actor.name}`;
  if (!project.mayDelete(actor.name)) expectOutcome(what, status, refusal(actor));
  else {
    const outcome = project.rollBack(repository, tag, digest);
    expectOutcome(`${what} (${outcome}) ${JSON.stringify(body)}`, status, { done: 200, unknown: [400, 404], conflict: 409, quota: 403 }[outcome]);
  }
  return what;
}

/** Makes a tag over the REST API. */
export async function createTag(world) {
  const found = world.someRepository();
  if (!found) return 'nothing to tag';
  const { project, repository } = found;
  const actor = world.someone(project);
  const item = world.random.pick(repository.manifests.values());
  const tag = world.someTag();
  const { status } = await actor.api('POST', `${repositoryPath(project.name, repository.name)}/artifacts/${item.digest}/tags`, { name: tag });
  const what = `creation of tag ${repository.name}:${tag} by ${actor.name}`;
  if (!project.mayPush(actor.name)) expectOutcome(what, status, refusal(actor));
  else if (repository.tags.has(tag)) expectOutcome(what, status, 409);
  else {
    expectOutcome(what, status, 201);
    repository.point(tag, item.digest);
  }
  return what;
}

/** Collects garbage; now and then what is in the bin goes for good. */
export async function collectGarbage(world) {
  const purge = world.random.happens(0.2);
  await world.garbage.run({ purge });
  for (const project of world.projects.values()) project.collect({ purge });
  return `garbage collection${purge ? ' with the bin' : ''}`;
}
