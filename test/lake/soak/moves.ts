import { randomUUID } from 'node:crypto'
import pg from 'pg'

/** Transactions that go on until they are stopped; each of them leaves every game with a player. */
export interface Moves {
  /** Committed so far. */
  readonly count: number
  /** Resolves when `count` has grown by that many. */
  more(count: number): Promise<void>
  stop(): Promise<void>
}

/**
 * One transaction puts a player and all of its games under a new id: a new player, its games moved over, the old player gone. Whoever
 * reads `player` and `player_game` at two instants finds games without a player, in whichever order.
 */
const MOVE = `
CREATE OR REPLACE FUNCTION pg_temp.move_player(old uuid, new uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE moved player;
BEGIN
  DELETE FROM player WHERE id = old RETURNING * INTO STRICT moved;
  moved.id := new;
  INSERT INTO player VALUES (moved.*);
  UPDATE player_game SET player_id = new WHERE player_id = old;
END $$`

/**
 * @param rate transactions a second at most, over all writers.
 * @param writers connections.
 */
export async function startMoves(url: string, { rate = 500, writers = 2 } = {}): Promise<Moves> {
  const waiting = new Set<{ readonly at: number; readonly wake: () => void }>()
  let count = 0
  let stopped = false
  const committed = () => {
    count++
    for (const one of waiting) if (count >= one.at) waiting.delete(one) && one.wake()
  }
  const clients = await Promise.all(Array.from({ length: writers }, () => open(url)))
  const players = (await clients[0]?.query<{ id: string }>('SELECT id FROM player ORDER BY id'))?.rows ?? []
  const began = Date.now()
  const work = async (client: pg.Client, own: string[]) => {
    for (let turn = 0; !stopped; turn++) {
      const index = turn % own.length
      const next = randomUUID()
      await client.query('SELECT pg_temp.move_player($1, $2)', [own[index], next])
      own[index] = next
      committed()
      const ahead = began + (count / rate) * 1000 - Date.now()
      if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead))
    }
    await client.end()
  }
  const working = clients.map((client, i) =>
    work(
      client,
      players.filter((_, index) => index % writers === i).map(({ id }) => id),
    ),
  )
  const failed = Promise.all(working).then(() => undefined)
  failed.catch(() => undefined)
  return {
    get count() {
      return count
    },
    more: (by) =>
      Promise.race([
        new Promise<void>((wake) => {
          waiting.add({ at: count + by, wake })
        }),
        failed,
      ]),
    async stop() {
      stopped = true
      await failed
    },
  }
}

async function open(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  // a database that is dropped fails the next query; here that is enough
  client.on('error', () => undefined)
  await client.connect()
  // Nobody may delete a player, not even a test that is no application.
  await client.query('SET session_replication_role = replica')
  await client.query(MOVE)
  return client
}

/** So many more players, each with a game, in one transaction. */
export async function addPlayers(url: string, count: number): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(
      `WITH added AS (
         INSERT INTO player (id, username, username_key, country)
         SELECT id, name, name, 'FR' FROM (
           SELECT id, left('p' || replace(id::text, '-', ''), 20) AS name
             FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $1::int)) AS ids) AS named
         RETURNING id)
       INSERT INTO player_game (id, player_id, game_id, platform, source, acquired_at)
       SELECT gen_random_uuid(), id, md5('game1')::uuid, 'linux', 'free', now() FROM added`,
      [count],
    )
  } finally {
    await client.end()
  }
}
