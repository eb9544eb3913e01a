import type { Alert, CachedManifest, CachedRecord, Catalog, Job } from '../catalog.ts';

/** A catalog that lives as long as its process; for tests and for what needs no memory. */
export function openMemoryCatalog(): Catalog {
  return new MemoryCatalog();
}

class MemoryCatalog implements Catalog {
  #manifests: CachedManifest[] = [];
  #records: CachedRecord[] = [];
  readonly #jobs = new Map<string, Job>();
  #alerts: Alert[] = [];
  readonly #values = new Map<string, string>();

  async knownSeqs(poolId: string): Promise<Set<number>> {
    return new Set(this.#manifests.filter((known) => known.poolId === poolId).map(({ seq }) => seq));
  }

  addManifests: Catalog['addManifests'] = async (poolId, manifests) => {
    const added = new Set(manifests.map(({ seq }) => seq));
    const kept = this.#manifests.filter((known) => known.poolId !== poolId || !added.has(known.seq));
    this.#manifests = [...kept, ...manifests.map((manifest) => ({ poolId, ...structuredClone(manifest) }))];
  };

  removeManifests: Catalog['removeManifests'] = async (poolId, seqs) => {
    this.#manifests = this.#manifests.filter((known) => known.poolId !== poolId || !seqs.includes(known.seq));
  };

  listManifests: Catalog['listManifests'] = async ({ poolId, datasource, kind } = {}) =>
    structuredClone(
      this.#manifests
        .filter((known) => poolId === undefined || known.poolId === poolId)
        .filter(({ manifest }) => datasource === undefined || manifest.datasource === datasource)
        .filter(({ manifest }) => kind === undefined || manifest.kind === kind)
        .sort((a, b) => compare(a.manifest.capturedAt, b.manifest.capturedAt) || a.seq - b.seq),
    );

  findManifest: Catalog['findManifest'] = async (id) => structuredClone(this.#manifests.find(({ manifest }) => manifest.id === id));

  replaceRecords: Catalog['replaceRecords'] = async (poolId, kind, records) => {
    const others = this.#records.filter((known) => known.poolId !== poolId || known.kind !== kind);
    this.#records = [...others, ...structuredClone(records)];
  };

  putRecord: Catalog['putRecord'] = async (record) => {
    const { poolId, kind, owner } = record;
    const others = this.#records.filter((known) => known.poolId !== poolId || known.kind !== kind || known.owner !== owner);
    this.#records = [...others, structuredClone(record)];
  };

  listRecords: Catalog['listRecords'] = async (kind, poolId) =>
    structuredClone(
      this.#records
        .filter((known) => known.kind === kind && (poolId === undefined || known.poolId === poolId))
        .sort((a, b) => compare(a.poolId, b.poolId) || compare(a.owner, b.owner)),
    );

  forgetPool: Catalog['forgetPool'] = async (poolId) => {
    this.#manifests = this.#manifests.filter((known) => known.poolId !== poolId);
    this.#records = this.#records.filter((known) => known.poolId !== poolId);
  };

  startJob: Catalog['startJob'] = async (job) => {
    if (this.#jobs.has(job.id)) throw new Error(`job ${job.id} was started before`);
    this.#jobs.set(job.id, structuredClone(job));
  };

  finishJob: Catalog['finishJob'] = async (id, state, finishedAt, result) => {
    const job = this.#jobs.get(id);
    if (job) this.#jobs.set(id, { ...job, state, finishedAt, ...(result !== undefined && { result: structuredClone(result) }) });
  };

  findJob: Catalog['findJob'] = async (id) => structuredClone(this.#jobs.get(id));

  listJobs: Catalog['listJobs'] = async (limit) =>
    structuredClone([...this.#jobs.values()].sort((a, b) => compare(b.startedAt, a.startedAt) || compare(a.id, b.id)).slice(0, limit));

  raiseAlert: Catalog['raiseAlert'] = async (alert) => {
    const open = this.#alerts.findIndex(({ code, subject, resolvedAt }) => code === alert.code && subject === alert.subject && !resolvedAt);
    const known = this.#alerts[open];
    if (!known) this.#alerts.push({ ...alert, count: 1 });
    else this.#alerts[open] = { ...alert, id: known.id, raisedAt: known.raisedAt, count: known.count + 1 };
  };

  resolveAlerts: Catalog['resolveAlerts'] = async ({ id, code, subject }, at) => {
    let resolved = 0;
    this.#alerts = this.#alerts.map((alert) => {
      const meant =
        !alert.resolvedAt &&
        (id === undefined || alert.id === id) &&
        (code === undefined || alert.code === code) &&
        (subject === undefined || alert.subject === subject);
      if (meant) resolved++;
      return meant ? { ...alert, resolvedAt: at } : alert;
    });
    return resolved;
  };

  listAlerts: Catalog['listAlerts'] = async ({ resolved } = {}) =>
    this.#alerts.filter(({ resolvedAt }) => resolved || !resolvedAt).sort((a, b) => compare(a.raisedAt, b.raisedAt) || compare(a.id, b.id));

  getValue: Catalog['getValue'] = async (key) => {
    const json = this.#values.get(key);
    return json === undefined ? undefined : JSON.parse(json);
  };

  setValue: Catalog['setValue'] = async (key, value) => {
    if (value === undefined) this.#values.delete(key);
    else this.#values.set(key, JSON.stringify(value));
  };

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** As SQLite compares texts of ASCII: by code, in no language. */
function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
