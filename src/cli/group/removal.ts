import { vmLabel } from '../../core/groups.ts';
import type { RemovalPlan, RemovalReport } from '../../core/remove-group.ts';
import type { App } from '../app.ts';

/** Asks, carries a removal out unless it is a dry run, and prints what came of it. */
export async function carryOutRemoval(
  app: App,
  plan: RemovalPlan,
  dryRun: boolean,
  apply: (plan: RemovalPlan) => Promise<RemovalReport>,
): Promise<void> {
  const { name } = plan.group.group;
  const members = plan.members.map(({ member }) => vmLabel(member));
  const trashed = plan.points.map(({ manifest }) => manifest.id);
  const status = (text: 'planned' | 'cancelled') => ({ status: text, group: name, removed: members, trashedPoints: trashed });
  if (dryRun) return app.render(status('planned'), (result) => `Would ${sentence(plan, result.removed)}`);
  if (!(await app.confirm(`${capital(sentence(plan, members))}?`))) return app.render(status('cancelled'), () => 'Nothing was changed.');
  const report = await apply(plan);
  app.render({ status: 'ok' as const, ...report }, ({ trashedPoints, keptPoints }) => {
    const points = trashedPoints.length > 0 ? `${trashedPoints.length} recovery points are in the trash, ` : '';
    return `Done. ${points}${keptPoints} recovery points are kept.`;
  });
}

function sentence({ whole, group, points, held }: RemovalPlan, members: readonly string[]): string {
  const what = whole
    ? `remove the group ${group.group.name} (${members.length} members)`
    : `take ${members.join(', ')} out of ${group.group.name}`;
  const data = points.length > 0 ? ` and move ${points.length} recovery points to the trash` : ' and keep the recovery points';
  return `${what}${data}${held.length > 0 ? ` (${held.length} held ones stay)` : ''}`;
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
