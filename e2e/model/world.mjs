import { Haven } from '../haven.mjs';
import { Actor } from './actors.mjs';
import { contentPool } from './content.mjs';
import { GarbageCollection } from './garbage-collection.mjs';
import { ProjectModel } from './registry-model.mjs';

export const USERS = ['ann', 'bob', 'cleo', 'dan'];
export const ROLES = { projectAdmin: 1, developer: 2, guest: 3, maintainer: 4, limitedGuest: 5 };
const PROJECTS = ['alpha', 'bravo', 'charlie'];
const REPOSITORIES = ['app', 'deep/tool', 'web'];
const TAGS = ['latest', '1.0', '1.1', '2.0-rc1', 'stable'];

/** A platform and, beside it, what it must hold. */
export class World {
  projects = new Map();
  actors = new Map();

  static async start(random) {
    const world = new World();
    world.random = random;
    world.content = contentPool(random);
    world.haven = await Haven.start();
    await world.#fill();
    return world;
  }

  async #fill() {
    const { haven } = this;
    this.actors.set('admin', new Actor(haven.url, 'admin', haven.adminAccount));
    this.actors.set('anonymous', new Actor(haven.url, 'anonymous'));
    for (const name of USERS) this.actors.set(name, new Actor(haven.url, name, await haven.user(name)));
    for (const [index, name] of PROJECTS.entries()) {
      await haven.project({ name, isPublic: index === 0 });
      const project = new ProjectModel(name, index === 0);
      project.id = (await haven.admin.project(name)).project_id;
      this.projects.set(name, project);
    }
    this.garbage = new GarbageCollection(haven);
  }

  async stop() {
    await this.garbage?.close();
    await this.haven?.stop();
  }

  get admin() {
    return this.actors.get('admin');
  }

  /** Somebody, mostly with rights: every fifth time anybody at all. */
  someone(project, may = 'mayPush') {
    const able = [...this.actors.values()].filter((actor) => project[may](actor.name));
    return this.random.happens(0.8) ? this.random.pick(able) : this.random.pick(this.actors.values());
  }

  someProject() {
    return this.random.pick(this.projects.values());
  }

  someRepositoryName(project) {
    return `${project.name}/${this.random.pick(REPOSITORIES)}`;
  }

  someTag() {
    return this.random.pick(TAGS);
  }

  /** A live repository with something in it, and its project; undefined when there is none. */
  someRepository(fits = (repository) => repository.manifests.size > 0) {
    const all = [...this.projects.values()].flatMap((project) => [...project.repositories.values()].filter(fits).map((repository) => ({ project, repository })));
    return this.random.pick(all);
  }
}
