import { isDeepStrictEqual } from 'node:util';
import { repositoryPath } from './actors.mjs';
import { binOf } from './delete-steps.mjs';
import { REFUSED } from './outcome.mjs';

/** Holds everything that the server shows against the model; throws with every difference. */
export async function compareAll(world) {
  const differences = [];
  const same = (what, server, model) => {
    if (!isDeepStrictEqual(server, model)) differences.push(`${what}: the server says ${JSON.stringify(server)}, the model ${JSON.stringify(model)}`);
  };
  for (const project of world.projects.values()) {
    await compareUsage(world, project, same);
    await compareBin(world, project, same);
    for (const repository of project.repositories.values()) {
      await compareTags(world, repository, same);
      await compareHistory(world, project, repository, same);
    }
    await compareReaders(world, project, same);
  }
  if (differences.length > 0) throw new Error(differences.join('\n'));
}

/** What a project is said to use, and what counting from scratch gives. */
async function compareUsage(world, project, same) {
  const { body: quota } = await world.admin.api('GET', `/quotas/${project.id}`);
  same(`quota of ${project.name}`, [quota.used?.storage, quota.hard?.storage], [project.used(), project.limit]);
  same(`recount of ${project.name}`, Number(await world.garbage.recount(project.id)), project.used());
}

async function compareBin(world, project, same) {
  const entries = await binOf(world, project);
  same(`bin of ${project.name}`, entries.map(({ kind, repository_name: repository, tag }) => [kind, repository, tag ?? null]),
    project.bin.map(({ kind, repository, tag }) => [kind, repository.name, tag ?? null]));
}

async function compareTags(world, repository, same) {
  const { tags } = await world.admin.oci.tags(repository.name);
  same(`tags of ${repository.name}`, tags, [...repository.tags.keys()].sort());
  for (const [tag, digest] of repository.tags) same(`${repository.name}:${tag}`, await world.admin.head(repository.name, 'manifests', tag), { status: 200, digest });
}

async function compareHistory(world, project, repository, same) {
  for (const tag of new Set(repository.history.map(([name]) => name))) {
    const { body } = await world.admin.api('GET', `${repositoryPath(project.name, repository.name)}/tags/${tag}/history?page_size=100`);
    const wanted = repository.history.filter(([name]) => name === tag).slice(-100).map(([, kind, from, to]) => [kind, from ?? null, to ?? null]);
    same(`history of ${repository.name}:${tag}`, body.map?.(({ operation, from, to }) => [operation, from ?? null, to ?? null]).reverse() ?? body, wanted);
  }
}

/** Who can read what: one live, one deleted manifest and one blob of each repository, as everybody. */
async function compareReaders(world, project, same) {
  for (const repository of project.repositories.values()) {
    const live = world.random.pick(repository.manifests.keys());
    const gone = world.random.pick(repository.deleted.keys());
    const [blob] = world.random.pick(repository.blobs) ?? [];
    for (const actor of world.actors.values()) {
      const reads = async (kind, digest, wanted) => {
        if (digest === undefined) return;
        const { status } = await actor.head(repository.name, kind, digest);
        const model = project.mayPull(actor.name) ? wanted : 'refused';
        same(`${kind} ${repository.name}@${digest} read by ${actor.name}`, REFUSED.includes(status) ? 'refused' : status, model);
      };
      await reads('manifests', live, 200);
      await reads('manifests', gone, 404);
      await reads('blobs', blob, 200);
    }
  }
}
