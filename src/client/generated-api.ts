// Made by `npm run generate:client` from the API document; changes are lost.
// biome-ignore-all lint: made by a tool
// biome-ignore-all format: made by a tool

export interface paths {
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Is the process alive */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Should requests come here */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Measurements in Prometheus' text form */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/whoami": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who the caller is and what it may do */
        get: operations["whoami"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/enums": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The values of every enumeration */
        get: operations["listEnums"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/problems/{slug}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a problem code means and what to do about it */
        get: operations["getProblem"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/studios/by-ref/{externalRef}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Create or replace the studio that your own system calls by this reference
         * @description Fields that are absent are emptied; the state stays. Safe to repeat: the same body again changes nothing, the version neither. If-None-Match: * only creates, If-Match only replaces the version that it names. Percent-encode the reference. A new studio is a prospect.
         *
         *     Scope: `studios:write`.
         */
        put: operations["putStudioByRef"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/games/by-ref/{ref}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Create or replace the game that your own system calls by this reference
         * @description Fields that are absent are emptied; the state stays. Safe to repeat: the same body again changes nothing, the version neither. If-None-Match: * only creates, If-Match only replaces the version that it names. Percent-encode the reference. A new game is a draft; one that is there keeps its studio (another one: POST …/transfer).
         *
         *     Scope: `games:write`.
         */
        put: operations["putGameByRef"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/games/{id}/transfer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move a game to another studio
         * @description The state of the game stays, and the studio that takes it must be in one that it allows: active from approved on, in review or active from submitted on, any but closed otherwise. A suspended studio neither gives nor takes. missing: active-studio, studio-in-review (the one that takes), unsuspended-studio (the one that gives). The audit trails of both studios tell it, as game.transfer_out and game.transfer_in.
         *
         *     Scope: `games:write`, `studios:write`.
         */
        post: operations["transferGame"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/players/lookup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Find players by id, username, e-mail address or account elsewhere
         * @description One answer for each of up to 100 identifiers, in their order; found is false where there is nobody, also for a name or an address that nobody can have. Everything but ids needs players:read.personal. A POST, so that names and addresses stand in no URL and no log; it changes nothing.
         *
         *     Scope: `players:read`.
         */
        post: operations["lookUpPlayers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/players/{id}/access": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * May this player play this game here, now?
         * @description One decision for a game back end, with every reason against it: not-owned, expired, revoked; below-min-age by the day in UTC; game-not-available, unless the game is in early access, released or delisted, or approved or announced and owned by beta, press or staff; player-closed. Without a birth date ageGate is unknown and does not refuse: a game that must have proof of an age asks for it then. The birth date itself is never told.
         *
         *     Scope: `library:read`.
         */
        get: operations["decideAccess"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/playtime": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report how long games were played
         * @description Totals of up to 1000 lines of libraries, as a JSON array or NDJSON. One answer for each item, in their order; an item with an error does not keep the others out. Safe to repeat and to send out of order: the greatest total, the earliest first and the latest last moment are kept, and none of them changes the version of the line. Moments before 1980 or more than a day ahead are refused: they would be kept for good.
         *
         *     Scope: `library:write`.
         */
        post: operations["reportPlaytime"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/studios/{id}/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Games, players and play time of a studio, in sums
         * @description Counts of fewer than 5 people are not told, and neither is a count that would tell of them by subtraction. What is owned now counts: neither revoked nor expired.
         *
         *     Scope: `studios:read`.
         */
        get: operations["getStudioStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit-events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who did what, and when
         * @description The trail of every change, written together with it. A change that changed nothing is none. Events of one moment have the order of seq; one that took long can come with a smaller seq than those that were shown before it.
         *
         *     Scope: `audit:read`.
         */
        get: operations["listAuditEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/studios": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Studios, page by page
         * @description Scope: `studios:read`.
         */
        get: operations["listStudios"];
        put?: never;
        /**
         * Add a studio, as a prospect
         * @description Scope: `studios:write`.
         */
        post: operations["createStudio"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/studios/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One studio
         * @description A studio is not deleted: close it with POST /v1/studios/{id}/transitions {"to": "closed"}.
         *
         *     Scope: `studios:read`.
         */
        get: operations["getStudio"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change fields of a studio
         * @description The slug stays while accounts of players are linked under it (identities of the provider studio).
         *
         *     A studio is not deleted: close it with POST /v1/studios/{id}/transitions {"to": "closed"}.
         *
         *     Scope: `studios:write`.
         */
        patch: operations["updateStudio"];
        trace?: never;
    };
    "/v1/studios/{id}/transitions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The steps that are possible now, and what each still needs
         * @description Scope: `studios:read`.
         */
        get: operations["listStudioTransitions"];
        put?: never;
        /**
         * Make a step
         * @description Scope: `studios:write`.
         */
        post: operations["makeStudioTransition"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/studios/{id}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who owns and runs a studio
         * @description Scope: `studios:read`.
         */
        get: operations["listStudioMembers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/owners/{id}/studios": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * In which studios an owner is, and as what
         * @description expand=studio embeds the studios themselves.
         *
         *     Scope: `owners:read`.
         */
        get: operations["listOwnerStudios"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/studios/{id}/members/{ownerId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One member
         * @description Scope: `studios:read`.
         */
        get: operations["getStudioMember"];
        /**
         * Add a member, or replace role and share of one
         * @description Replacing needs If-Match. Without status a new or returning member is invited.
         *
         *     Scope: `studios:write`.
         */
        put: operations["putStudioMember"];
        post?: never;
        /**
         * A member leaves, or an invitation is withdrawn: the status becomes left, the row stays
         * @description Scope: `studios:write`.
         */
        delete: operations["removeStudioMember"];
        options?: never;
        head?: never;
        /**
         * Change role, share or status of a member
         * @description Steps: invited to active or left, active to left, left to invited. Who leaves gives up their share.
         *
         *     Scope: `studios:write`.
         */
        patch: operations["updateStudioMember"];
        trace?: never;
    };
    "/v1/owners": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Owners, page by page
         * @description Filters, sorts and q on personal fields need the scope owners:read.personal.
         *
         *     Scope: `owners:read`.
         */
        get: operations["listOwners"];
        put?: never;
        /**
         * Add an owner
         * @description Scope: `owners:write`.
         */
        post: operations["createOwner"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/owners/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One owner
         * @description An owner is not deleted: disable them with POST /v1/owners/{id}/transitions {"to": "disabled"}.
         *
         *     Scope: `owners:read`.
         */
        get: operations["getOwner"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change fields of an owner
         * @description A new address counts as not verified, unless emailVerifiedAt comes with it.
         *
         *     An owner is not deleted: disable them with POST /v1/owners/{id}/transitions {"to": "disabled"}.
         *
         *     Scope: `owners:write`.
         */
        patch: operations["updateOwner"];
        trace?: never;
    };
    "/v1/owners/{id}/transitions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The steps that are possible now, and what each still needs
         * @description Scope: `owners:read`.
         */
        get: operations["listOwnerTransitions"];
        put?: never;
        /**
         * Disable an owner, or make them active again
         * @description Scope: `owners:write`.
         */
        post: operations["makeOwnerTransition"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/games": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Games, page by page
         * @description Scope: `games:read`.
         */
        get: operations["listGames"];
        put?: never;
        /**
         * Add a game to a studio, as a draft
         * @description Scope: `games:write`.
         */
        post: operations["createGame"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/studios/{id}/games": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The games of a studio
         * @description Scope: `games:read`.
         */
        get: operations["listStudioGames"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/games/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One game
         * @description A game is not deleted: withdraw, cancel or retire it with POST /v1/games/{id}/transitions.
         *
         *     Scope: `games:read`.
         */
        get: operations["getGame"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change fields of a game
         * @description A releaseDate alone keeps the precision, or is exact to the day when there was none; a coarser releasePrecision alone widens the stored date; tba, or the date null, takes it away. A game that the public can see keeps its exact date, minAge and a genre.
         *
         *     A game is not deleted: withdraw, cancel or retire it with POST /v1/games/{id}/transitions.
         *
         *     Scope: `games:write`.
         */
        patch: operations["updateGame"];
        trace?: never;
    };
    "/v1/games/{id}/transitions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The steps that are possible now, and what each still needs
         * @description missing: min-age, exact-release-date, genre, active-studio, studio-in-review. A suspended studio freezes every step.
         *
         *     Scope: `games:read`.
         */
        get: operations["listGameTransitions"];
        put?: never;
        /**
         * Make a step
         * @description Scope: `games:transition`.
         */
        post: operations["makeGameTransition"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/games/{id}/platforms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where a game ships
         * @description Scope: `games:read`.
         */
        get: operations["listGamePlatforms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/games/{id}/platforms/{platform}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One platform of a game
         * @description Scope: `games:read`.
         */
        get: operations["getGamePlatform"];
        /**
         * Add a platform to a game, or replace the facts of one
         * @description Scope: `games:write`.
         */
        put: operations["putGamePlatform"];
        post?: never;
        /**
         * Take a platform from a game that nobody owns on it
         * @description Scope: `games:write`.
         */
        delete: operations["deleteGamePlatform"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/players": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Players, page by page
         * @description country, hasEmail and q ask about personal fields: they need players:read.personal.
         *
         *     Scope: `players:read`.
         */
        get: operations["listPlayers"];
        put?: never;
        /**
         * Add a player, with accounts elsewhere
         * @description All of it or nothing. The identities are read at /v1/players/{id}/identities.
         *
         *     Scope: `players:write`.
         */
        post: operations["createPlayer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/studios/{id}/players": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The players who own a game of a studio
         * @description Scope: `players:read`.
         */
        get: operations["listStudioPlayers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/players/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One player
         * @description A player is not deleted: close the account with POST /v1/players/{id}/transitions {"to": "closed"}.
         *
         *     Scope: `players:read`.
         */
        get: operations["getPlayer"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change fields of a player
         * @description A new address counts as not verified, unless emailVerifiedAt comes with it. The address stays while no account elsewhere is linked: nothing else would lead to the player.
         *
         *     A player is not deleted: close the account with POST /v1/players/{id}/transitions {"to": "closed"}.
         *
         *     Scope: `players:write`.
         */
        patch: operations["updatePlayer"];
        trace?: never;
    };
    "/v1/players/{id}/transitions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The steps that are possible now
         * @description Scope: `players:read`.
         */
        get: operations["listPlayerTransitions"];
        put?: never;
        /**
         * Close an account, or open it again
         * @description A closed account keeps its username, address and library.
         *
         *     Scope: `players:write`.
         */
        post: operations["makePlayerTransition"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/players/{id}/identities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The accounts of a player elsewhere
         * @description Those that were unlinked are among them, without subject and name; unlinkedAt[isNull]=true leaves them out.
         *
         *     Scope: `players:read`.
         */
        get: operations["listPlayerIdentities"];
        put?: never;
        /**
         * Link an account elsewhere
         * @description Scope: `players:write`.
         */
        post: operations["linkPlayerIdentity"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/players/{id}/identities/{identityId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One account of a player elsewhere
         * @description Scope: `players:read`.
         */
        get: operations["getPlayerIdentity"];
        put?: never;
        post?: never;
        /**
         * Unlink an account elsewhere: the row stays, without subject and name
         * @description Scope: `players:write`.
         */
        delete: operations["unlinkPlayerIdentity"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/players/{id}/library": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a player owns and owned
         * @description Scope: `library:read`.
         */
        get: operations["listLibrary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/games/{id}/players": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who owns a game and who did: lines of their libraries
         * @description Scope: `library:read`.
         */
        get: operations["listGamePlayers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/players/{id}/library/{gameId}/{platform}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One game of a library
         * @description A line of a library is not deleted: revoke it with POST …/revocation {"reason": "refund"}.
         *
         *     Scope: `library:read`.
         */
        get: operations["getEntitlement"];
        /**
         * Put a game into a library
         * @description Safe to repeat, and it takes nothing away: a grant for a shorter time than the player has, or for as long from a weaker source, leaves the line as it is. purchase, key, gift and bundle are stronger than subscription, free, promotion and import, and these than beta, press and staff. With If-Match it replaces that version, whatever it says. beta, press and staff are granted from the state approved on, all others from announced on, none after delisted. What was revoked is granted again with an acquiredAt after its own and after the revocation, or without one unless sourceRef is the revoked one: an order that comes late does not undo its refund. Play time only grows.
         *
         *     A line of a library is not deleted: revoke it with POST …/revocation {"reason": "refund"}.
         *
         *     Scope: `library:write`.
         */
        put: operations["grantEntitlement"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Correct a line of a library
         * @description Play time only grows, and does not change the version.
         *
         *     A line of a library is not deleted: revoke it with POST …/revocation {"reason": "refund"}.
         *
         *     Scope: `library:write`.
         */
        patch: operations["updateEntitlement"];
        trace?: never;
    };
    "/v1/players/{id}/library/{gameId}/{platform}/revocation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a game away, or correct the reason
         * @description Scope: `library:write`.
         */
        post: operations["revokeEntitlement"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/imports/owners": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Bring owners in, line by line
         * @description Every line is answered by a line: created, updated, unchanged, or a problem that points into it. What is answered is committed. The last line is _end with the totals; an answer without it is cut off. Absent fields are not touched, null empties. Read the answer while you send: the input is taken only as fast as the answer.
         *
         *     A last line _end of an export is checked: its rows and its SHA-256 over all bytes before it. Lines that are in by then stay, and the totals count the error; with atomic nothing stays. A JSON array is read to its end before its first element is looked at.
         *
         *     A dry run undoes each batch of 500 lines. Later batches see the unique keys that earlier lines would have taken, but not those that they would have given up, nor that an owner whom an earlier line disables no longer counts for a studio; with atomic, all lines are judged together. It needs the scope `owners:read.personal`, since it tells whether a value is the stored one.
         *
         *     With Prefer: respond-async the answer is a job; this answer is its result, and its refused lines are its errors. A job whose process dies begins anew: lines that are in answer unchanged, or, with mode=create, as taken.
         *
         *     Scope: `imports:write`, `owners:write`.
         */
        post: operations["importOwners"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/imports/studios": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Bring studios in, line by line
         * @description Every line is answered by a line: created, updated, unchanged, or a problem that points into it. What is answered is committed. The last line is _end with the totals; an answer without it is cut off. Absent fields are not touched, null empties. Read the answer while you send: the input is taken only as fast as the answer.
         *
         *     A last line _end of an export is checked: its rows and its SHA-256 over all bytes before it. Lines that are in by then stay, and the totals count the error; with atomic nothing stays. A JSON array is read to its end before its first element is looked at.
         *
         *     A dry run undoes each batch of 500 lines. Later batches see the unique keys that earlier lines would have taken, but not those that they would have given up, nor that an owner whom an earlier line disables no longer counts for a studio; with atomic, all lines are judged together.
         *
         *     With Prefer: respond-async the answer is a job; this answer is its result, and its refused lines are its errors. A job whose process dies begins anew: lines that are in answer unchanged, or, with mode=create, as taken.
         *
         *     Scope: `imports:write`, `studios:write`.
         */
        post: operations["importStudios"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/imports/games": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Bring games in, line by line
         * @description Every line is answered by a line: created, updated, unchanged, or a problem that points into it. What is answered is committed. The last line is _end with the totals; an answer without it is cut off. Absent fields are not touched, null empties. Read the answer while you send: the input is taken only as fast as the answer.
         *
         *     A last line _end of an export is checked: its rows and its SHA-256 over all bytes before it. Lines that are in by then stay, and the totals count the error; with atomic nothing stays. A JSON array is read to its end before its first element is looked at.
         *
         *     A dry run undoes each batch of 500 lines. Later batches see the unique keys that earlier lines would have taken, but not those that they would have given up, nor that an owner whom an earlier line disables no longer counts for a studio; with atomic, all lines are judged together.
         *
         *     With Prefer: respond-async the answer is a job; this answer is its result, and its refused lines are its errors. A job whose process dies begins anew: lines that are in answer unchanged, or, with mode=create, as taken.
         *
         *     Scope: `imports:write`, `games:write`.
         */
        post: operations["importGames"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/imports/players": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Bring players in, line by line
         * @description Every line is answered by a line: created, updated, unchanged, or a problem that points into it. What is answered is committed. The last line is _end with the totals; an answer without it is cut off. Absent fields are not touched, null empties. Read the answer while you send: the input is taken only as fast as the answer.
         *
         *     A last line _end of an export is checked: its rows and its SHA-256 over all bytes before it. Lines that are in by then stay, and the totals count the error; with atomic nothing stays. A JSON array is read to its end before its first element is looked at.
         *
         *     A dry run undoes each batch of 500 lines. Later batches see the unique keys that earlier lines would have taken, but not those that they would have given up, nor that an owner whom an earlier line disables no longer counts for a studio; with atomic, all lines are judged together. It needs the scope `players:read.personal`, since it tells whether a value is the stored one.
         *
         *     With Prefer: respond-async the answer is a job; this answer is its result, and its refused lines are its errors. A job whose process dies begins anew: lines that are in answer unchanged, or, with mode=create, as taken.
         *
         *     Scope: `imports:write`, `players:write`.
         */
        post: operations["importPlayers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/imports/library": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Bring entries of libraries in, line by line
         * @description Every line is answered by a line: created, updated, unchanged, or a problem that points into it. What is answered is committed. The last line is _end with the totals; an answer without it is cut off. Absent fields are not touched, null empties. Read the answer while you send: the input is taken only as fast as the answer.
         *
         *     A last line _end of an export is checked: its rows and its SHA-256 over all bytes before it. Lines that are in by then stay, and the totals count the error; with atomic nothing stays. A JSON array is read to its end before its first element is looked at.
         *
         *     A dry run undoes each batch of 500 lines. Later batches see the unique keys that earlier lines would have taken, but not those that they would have given up, nor that an owner whom an earlier line disables no longer counts for a studio; with atomic, all lines are judged together. It needs the scope `players:read.personal`, since it tells whether a value is the stored one.
         *
         *     With Prefer: respond-async the answer is a job; this answer is its result, and its refused lines are its errors. A job whose process dies begins anew: lines that are in answer unchanged, or, with mode=create, as taken.
         *
         *     Scope: `imports:write`, `library:write`.
         */
        post: operations["importLibrary"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Export a list of any length as a job
         * @description The result of the job is a manifest of parts; each is a whole NDJSON or CSV export with an end line, all of them from one snapshot. A list that fits into one connection is read faster at its own address with Accept: application/x-ndjson or text/csv. Needs the read scope of the resource, too.
         *
         *     Scope: `exports:read`.
         */
        post: operations["createExport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Imports and exports that wait, run or have ended
         * @description Your own; with the scope keys:manage those of everybody.
         */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How far a job is, and what became of it
         * @description A job is forgotten by itself; POST /v1/jobs/{id}/cancel ends one that waits or runs.
         */
        get: operations["getJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End a job before it is done
         * @description One that waits ends at once, one that runs within seconds. What an import has brought in stays. A job that has ended is answered as it is.
         */
        post: operations["cancelJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/errors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The lines that went wrong
         * @description Page by page, or all of them as application/x-ndjson; also while the job runs.
         */
        get: operations["listJobErrors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/result": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The result of a job
         * @description Of an import its answer, line by line; of an export the manifest of its parts. Until the job has ended there is nothing to send, and the answer is 303 to the job. The answer has the media type that the result was written in. That of somebody else’s job takes, beside keys:manage, every read scope that its submitter had.
         */
        get: operations["getJobResult"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/result/parts/{part}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A part of the result of an export
         * @description Until the job has ended there is nothing to send, and the answer is 303 to the job. The answer has the media type that the result was written in. That of somebody else’s job takes, beside keys:manage, every read scope that its submitter had.
         */
        get: operations["getJobResultPart"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * API keys, without their secrets; revoked and expired ones too
         * @description Scope: `keys:manage`.
         */
        get: operations["listApiKeys"];
        put?: never;
        /**
         * Make an API key; its secret is shown once
         * @description A key cannot make a key with scopes that it does not have itself.
         *
         *     Scope: `keys:manage`.
         */
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One API key, without its secret
         * @description Scope: `keys:manage`.
         */
        get: operations["getApiKey"];
        put?: never;
        post?: never;
        /**
         * End a key: it holds for the next request. The row stays
         * @description Scope: `keys:manage`.
         */
        delete: operations["revokeApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a key that takes the place of this one; its secret is shown once
         * @description Same name and scopes, valid for as long as this key was made for. This key lives on for 24 hours, or until its own end; DELETE ends it at once. A key is rotated once: then rotate the one that took its place. Jobs and Idempotency-Keys stay with the key that they came with: finish them under it.
         *
         *     Scope: `keys:manage`.
         */
        post: operations["rotateApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lake/tables": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The tables of the lake: columns, classes, what happens to each, and the last snapshot
         * @description Scope: `lake:read`.
         */
        get: operations["listLakeTables"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lake/tables/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One table of the lake
         * @description Scope: `lake:read`.
         */
        get: operations["getLakeTable"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lake/snapshots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Snapshots, newest first, page by page
         * @description Scope: `lake:read`.
         */
        get: operations["listSnapshots"];
        put?: never;
        /**
         * Take a snapshot: one consistent copy of all tables in the lake
         * @description A process of its own takes it. Follow Location until the state is published or failed.
         *
         *     Scope: `lake:snapshot`.
         */
        post: operations["requestSnapshot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lake/snapshots/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One snapshot, with its manifest: keys, rows, bytes, SHA-256 and columns of every file
         * @description Scope: `lake:read`.
         */
        get: operations["getSnapshot"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lake/snapshots/{id}/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Compare what is stored and catalogued with what the manifest promises; reads only
         * @description Scope: `lake:snapshot`.
         */
        post: operations["verifySnapshot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lake/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who keeps which snapshot from being removed; holds that have run out are not shown
         * @description Scope: `lake:read`.
         */
        get: operations["listHolds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lake/snapshots/{id}/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Keep a snapshot from being removed while somebody reads it
         * @description Scope: `lake:snapshot`.
         */
        post: operations["holdSnapshot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lake/snapshots/{id}/holds/{holdId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End a hold
         * @description Scope: `lake:snapshot`.
         */
        delete: operations["releaseSnapshot"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lake/queries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The saved queries, and runs of queries, newest first
         * @description Scope: `lake:query`.
         */
        get: operations["listQueries"];
        put?: never;
        /**
         * Run a saved query {name, params} or one reading statement {sql}
         * @description One SELECT, WITH, SHOW, DESCRIBE or EXPLAIN. The work group limits the bytes that a query may read; one that reads more is failed with budget-exceeded.
         *
         *     Scope: `lake:query`.
         */
        post: operations["startQuery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lake/queries/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How far a run is, and how many bytes it read
         * @description Scope: `lake:query`.
         */
        get: operations["getQuery"];
        put?: never;
        post?: never;
        /**
         * Stop a run; one that has ended stays as it is
         * @description Scope: `lake:query`.
         */
        delete: operations["cancelQuery"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lake/queries/{id}/results": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Rows of a run that succeeded: JSON page by page, or all of them as CSV
         * @description In CSV an empty field is NULL, "" an empty text; text that a spreadsheet would run as a formula has a leading apostrophe. limit and cursor hold for JSON only.
         *
         *     Scope: `lake:query`.
         */
        get: operations["getQueryResults"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        StudioReplacement: {
            /** @example comet-forge */
            slug: string;
            /** @example Comet Forge */
            name: string;
            legalName?: string | null;
            country?: string | null;
            website?: string | null;
        };
        GameReplacement: {
            /** @example comet-forge */
            slug: string;
            /** @example Star Haul */
            title: string;
            summary?: string | null;
            /**
             * @default []
             * @example [
             *       "strategy",
             *       "simulation"
             *     ]
             */
            genres?: ("action" | "adventure" | "rpg" | "strategy" | "simulation" | "puzzle" | "platformer" | "shooter" | "fighting" | "sports" | "racing" | "horror" | "survival" | "sandbox" | "roguelike" | "visual_novel" | "rhythm" | "card" | "party" | "idle" | "educational" | "other")[];
            /**
             * @default null
             * @example 12
             */
            minAge?: number | null;
            /** @description Stored as the last day of its month, quarter or year, as releasePrecision says */
            releaseDate?: string | null;
            /** @enum {string} */
            releasePrecision?: "day" | "month" | "quarter" | "year" | "tba";
            /** Format: uuid */
            studioId: string;
        };
        GameTransfer: {
            /**
             * Format: uuid
             * @description The studio that takes the game
             * @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b12
             */
            studioId: string;
            reason?: string | null;
        };
        PlayerLookup: {
            identifiers: components["schemas"]["PlayerIdentifier"][];
        };
        /**
         * @description Exactly one of id, username, email, or provider with subject (and namespace)
         * @example {
         *       "provider": "steam",
         *       "subject": "76561198000000001"
         *     }
         */
        PlayerIdentifier: {
            /**
             * Format: uuid
             * @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11
             */
            id?: string;
            /**
             * @description In any letter case and Unicode form
             * @example Nova
             */
            username?: string;
            /**
             * @description In any letter case
             * @example nova@example.com
             */
            email?: string;
            /**
             * @example steam
             * @enum {string}
             */
            provider?: "steam" | "epic" | "psn" | "xbox" | "nintendo" | "apple" | "google" | "discord" | "studio";
            /**
             * @description The studio's slug with the provider studio, else empty or absent
             * @example
             */
            namespace?: string;
            /**
             * @description The provider's own key of the account
             * @example 76561198000000001
             */
            subject?: string;
        };
        NewStudio: {
            /** @example comet-forge */
            slug: string;
            /** @example Comet Forge */
            name: string;
            legalName?: string | null;
            country?: string | null;
            website?: string | null;
            externalRef?: string | null;
        };
        StudioPatch: {
            /** @example comet-forge */
            slug?: string;
            /** @example Comet Forge */
            name?: string;
            legalName?: string | null;
            country?: string | null;
            website?: string | null;
            externalRef?: string | null;
        };
        StudioTransition: {
            /** @enum {string} */
            to: "prospect" | "in_review" | "active" | "suspended" | "rejected" | "closed";
            reason?: string | null;
        };
        NewMember: {
            /** @enum {string} */
            role: "owner" | "admin" | "finance" | "developer" | "viewer";
            /** @default null */
            ownershipPercent?: number | null;
            /** @enum {string} */
            status?: "invited" | "active";
        };
        MemberPatch: {
            /** @enum {string} */
            role?: "owner" | "admin" | "finance" | "developer" | "viewer";
            ownershipPercent?: number | null;
            /** @enum {string} */
            status?: "invited" | "active" | "left";
        };
        NewOwner: {
            /** @example Olga Owner */
            fullName: string;
            /**
             * Format: idn-email
             * @example nova@example.com
             */
            email: string;
            emailVerifiedAt?: string | null;
            country?: string | null;
            authSubject?: string | null;
            externalRef?: string | null;
        };
        OwnerPatch: {
            /** @example Olga Owner */
            fullName?: string;
            /**
             * Format: idn-email
             * @example nova@example.com
             */
            email?: string;
            emailVerifiedAt?: string | null;
            country?: string | null;
            authSubject?: string | null;
            externalRef?: string | null;
        };
        OwnerTransition: {
            /** @enum {string} */
            to: "active" | "disabled" | "erased";
            reason?: string | null;
        };
        NewGame: {
            /** @example comet-forge */
            slug: string;
            /** @example Star Haul */
            title: string;
            summary?: string | null;
            /**
             * @default []
             * @example [
             *       "strategy",
             *       "simulation"
             *     ]
             */
            genres?: ("action" | "adventure" | "rpg" | "strategy" | "simulation" | "puzzle" | "platformer" | "shooter" | "fighting" | "sports" | "racing" | "horror" | "survival" | "sandbox" | "roguelike" | "visual_novel" | "rhythm" | "card" | "party" | "idle" | "educational" | "other")[];
            /**
             * @default null
             * @example 12
             */
            minAge?: number | null;
            /** @description Stored as the last day of its month, quarter or year, as releasePrecision says */
            releaseDate?: string | null;
            /** @enum {string} */
            releasePrecision?: "day" | "month" | "quarter" | "year" | "tba";
            externalRef?: string | null;
            /** Format: uuid */
            studioId: string;
        };
        GamePatch: {
            /** @example comet-forge */
            slug?: string;
            /** @example Star Haul */
            title?: string;
            summary?: string | null;
            /**
             * @example [
             *       "strategy",
             *       "simulation"
             *     ]
             */
            genres?: ("action" | "adventure" | "rpg" | "strategy" | "simulation" | "puzzle" | "platformer" | "shooter" | "fighting" | "sports" | "racing" | "horror" | "survival" | "sandbox" | "roguelike" | "visual_novel" | "rhythm" | "card" | "party" | "idle" | "educational" | "other")[];
            /** @example 12 */
            minAge?: number | null;
            /** @description Stored as the last day of its month, quarter or year, as releasePrecision says */
            releaseDate?: string | null;
            /** @enum {string} */
            releasePrecision?: "day" | "month" | "quarter" | "year" | "tba";
            externalRef?: string | null;
        };
        GameTransition: {
            /** @enum {string} */
            to: "draft" | "submitted" | "in_review" | "changes_requested" | "approved" | "announced" | "early_access" | "released" | "delisted" | "retired" | "rejected" | "withdrawn" | "cancelled";
            reason?: string | null;
        };
        GamePlatformFacts: {
            /**
             * @description Short name of the store; empty: none
             * @default
             * @example steam
             */
            store?: string;
            storeAppId?: string | null;
            releasedOn?: string | null;
            /** @example null */
            delistedOn?: string | null;
        };
        NewPlayer: {
            /** @example nova */
            username: string;
            displayName?: string | null;
            email?: string | null;
            emailVerifiedAt?: string | null;
            birthDate?: string | null;
            country?: string | null;
            locale?: string | null;
            identities?: components["schemas"]["NewIdentity"][];
        };
        NewIdentity: {
            /**
             * @example steam
             * @enum {string}
             */
            provider: "steam" | "epic" | "psn" | "xbox" | "nintendo" | "apple" | "google" | "discord" | "studio";
            /**
             * @description The studio's slug with the provider studio, else empty
             * @example
             */
            namespace?: string;
            /**
             * @description The provider's own key of the account
             * @example 76561198000000001
             */
            subject: string;
            providerName?: string | null;
            verifiedAt?: string | null;
        };
        PlayerPatch: {
            /** @example nova */
            username?: string;
            displayName?: string | null;
            email?: string | null;
            emailVerifiedAt?: string | null;
            birthDate?: string | null;
            country?: string | null;
            locale?: string | null;
        };
        PlayerTransition: {
            /** @enum {string} */
            to: "active" | "closed" | "erasure_pending" | "erased";
            reason?: string | null;
        };
        Grant: {
            /** @enum {string} */
            source: "purchase" | "key" | "gift" | "bundle" | "subscription" | "free" | "promotion" | "beta" | "press" | "staff" | "import";
            sourceRef?: string | null;
            /**
             * Format: date-time
             * @description Absent: now, or as it is when the player owns the game already
             */
            acquiredAt?: string;
            /**
             * @description null: permanent
             * @example null
             */
            expiresAt?: string | null;
            /**
             * @description The total so far; the greatest one that was ever told is kept
             * @example 86400
             */
            playtimeSeconds?: number;
            /** @description The earliest one that was ever told is kept */
            firstPlayedAt?: string | null;
            /** @description The latest one that was ever told is kept */
            lastPlayedAt?: string | null;
        };
        EntitlementPatch: {
            /** @enum {string} */
            source?: "purchase" | "key" | "gift" | "bundle" | "subscription" | "free" | "promotion" | "beta" | "press" | "staff" | "import";
            sourceRef?: string | null;
            /** Format: date-time */
            acquiredAt?: string;
            /** @example null */
            expiresAt?: string | null;
            /**
             * @description The total so far; the greatest one that was ever told is kept
             * @example 86400
             */
            playtimeSeconds?: number;
            /** Format: date-time */
            firstPlayedAt?: string;
            /** Format: date-time */
            lastPlayedAt?: string;
        };
        Revocation: {
            /** @enum {string} */
            reason: "refund" | "chargeback" | "fraud" | "mistake" | "expired_grant" | "other";
        };
        NewExport: {
            /**
             * @example players
             * @enum {string}
             */
            resource: "players" | "studios" | "owners" | "games" | "library";
            /**
             * @default ndjson
             * @example ndjson
             * @enum {string}
             */
            format?: "ndjson" | "csv";
            /**
             * @description Of each part
             * @default none
             * @example gzip
             * @enum {string}
             */
            compress?: "none" | "gzip";
            /**
             * @description Parameters of the list by their names in its address, operators in brackets
             * @example {
             *       "status": "active",
             *       "createdAt[gte]": "2026-01-01T00:00:00Z"
             *     }
             */
            filter?: {
                [key: string]: string | number | boolean;
            };
            /**
             * @description As q of the list
             * @example nova
             */
            q?: string;
            /**
             * @description As sort of the list
             * @example -createdAt
             */
            sort?: string;
            /**
             * @description Only these fields, and the key; default: all that the key may see
             * @example [
             *       "username",
             *       "status"
             *     ]
             */
            fields?: string[];
            /**
             * @description Rows to embed as an import takes them: identities of players, members of studios, platforms of games
             * @example [
             *       "identities"
             *     ]
             */
            expand?: string[];
        };
        NewApiKey: {
            /**
             * @description What it is for
             * @example Store front
             */
            name: string;
            /**
             * @description None that the calling key does not have
             * @example [
             *       "players:read"
             *     ]
             */
            scopes: ("players:read" | "players:read.personal" | "players:write" | "studios:read" | "studios:write" | "owners:read" | "owners:read.personal" | "owners:write" | "games:read" | "games:write" | "games:transition" | "library:read" | "library:write" | "imports:write" | "exports:read" | "lake:read" | "lake:snapshot" | "lake:query" | "audit:read" | "keys:manage")[];
            /**
             * @default 365
             * @example 90
             */
            validDays?: number;
        };
        /**
         * @example {
         *       "holder": "nightly report",
         *       "reason": "reads the snapshot until noon",
         *       "expiresAt": "2026-03-06T12:00:00Z"
         *     }
         */
        NewHold: {
            holder: string;
            reason: string;
            /**
             * Format: date-time
             * @description At most 7 days from now
             */
            expiresAt: string;
        };
        /**
         * @example {
         *       "sql": "SELECT country, count(*) AS players FROM players_latest GROUP BY 1 ORDER BY 2 DESC LIMIT 2"
         *     }
         */
        NewQuery: {
            sql?: string;
            name?: string;
            params?: {
                [key: string]: string | number;
            };
        };
        Health: {
            /** @example alive */
            status: string;
        };
        /** @description RFC 9457; never carries a value of the request */
        Problem: {
            /** @description Identifies the kind of problem; compare code instead */
            type: string;
            title: string;
            status: number;
            detail: string;
            instance?: string;
            code: string;
            requestId?: string;
            errors?: ({
                /** @description RFC 6901, into the body */
                pointer?: string;
                parameter?: string;
                header?: string;
                code: string;
                detail?: string;
            } & {
                [key: string]: unknown;
            })[];
        } & {
            [key: string]: unknown;
        };
        Readiness: {
            /** @constant */
            status: "ready";
            checks: {
                /** @example database */
                name: string;
                ok: boolean;
                ms: number;
            }[];
        };
        /** @description The caller, as this service knows it */
        Whoami: {
            /** @enum {string} */
            type: "api_key" | "user" | "system";
            /** @example k3v9x0m2q7ab */
            id: string;
            /** @example storefront */
            name: string;
            /**
             * @example [
             *       "games:read",
             *       "players:read"
             *     ]
             */
            scopes: ("players:read" | "players:read.personal" | "players:write" | "studios:read" | "studios:write" | "owners:read" | "owners:read.personal" | "owners:write" | "games:read" | "games:write" | "games:transition" | "library:read" | "library:write" | "imports:write" | "exports:read" | "lake:read" | "lake:snapshot" | "lake:query" | "audit:read" | "keys:manage")[];
            expiresAt: string | null;
        };
        /**
         * @description Every enumeration by name; new values are announced before they are used
         * @example {
         *       "studio_status": [
         *         "prospect",
         *         "in_review",
         *         "active",
         *         "suspended",
         *         "closed",
         *         "rejected"
         *       ]
         *     }
         */
        Enums: {
            [key: string]: string[];
        };
        /**
         * @example {
         *       "type": "https://accounts.rocketgames.example/problems/slug-taken",
         *       "code": "slug-taken",
         *       "title": "The slug is taken",
         *       "status": 409,
         *       "cause": "Another studio or game has this slug. Slugs are part of addresses and unique.",
         *       "advice": "Choose another slug."
         *     }
         */
        ProblemKind: {
            type: string;
            code: string;
            title: string;
            status: number;
            /** @description How it comes about */
            cause: string;
            /** @description What to do about it */
            advice: string;
        };
        /**
         * @example {
         *       "openapi": "3.1.1",
         *       "info": {
         *         "title": "RocketGames Accounts",
         *         "version": "1.0.0"
         *       }
         *     }
         */
        OpenApiDocument: {
            [key: string]: unknown;
        };
        Studio: {
            /** Format: uuid */
            id: string;
            slug: string;
            /** @example Comet Forge */
            name: string;
            legalName: string | null;
            country: string | null;
            website: string | null;
            /** @enum {string} */
            status: "prospect" | "in_review" | "active" | "suspended" | "rejected" | "closed";
            /** Format: date-time */
            statusChangedAt: string;
            externalRef: string | null;
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        Game: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            studioId: string;
            slug: string;
            title: string;
            summary: string | null;
            /**
             * @example [
             *       "strategy",
             *       "simulation"
             *     ]
             */
            genres: ("action" | "adventure" | "rpg" | "strategy" | "simulation" | "puzzle" | "platformer" | "shooter" | "fighting" | "sports" | "racing" | "horror" | "survival" | "sandbox" | "roguelike" | "visual_novel" | "rhythm" | "card" | "party" | "idle" | "educational" | "other")[];
            minAge: number | null;
            releaseDate: string | null;
            /** @enum {string} */
            releasePrecision: "day" | "month" | "quarter" | "year" | "tba";
            /** @enum {string} */
            status: "draft" | "submitted" | "in_review" | "changes_requested" | "approved" | "announced" | "early_access" | "released" | "delisted" | "retired" | "rejected" | "withdrawn" | "cancelled";
            /** Format: date-time */
            statusChangedAt: string;
            externalRef: string | null;
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        PlayerLookupAnswer: {
            /** @description One for each identifier, in their order */
            data: {
                /** @example true */
                found: boolean;
                player: components["schemas"]["Player"] | null;
            }[];
        };
        Player: {
            /** Format: uuid */
            id: string;
            /** @description Personal: absent without the scope players:read.personal */
            username?: string;
            /** @description Personal: absent without the scope players:read.personal */
            displayName?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            email?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            emailVerifiedAt?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            birthDate?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            country?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            locale?: string | null;
            /** @enum {string} */
            status: "active" | "closed" | "erasure_pending" | "erased";
            /** @example null */
            closedAt: string | null;
            /** @example null */
            erasedAt: string | null;
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        Access: {
            /**
             * @description False exactly when there is a reason
             * @example false
             */
            allowed: boolean;
            /**
             * @description All that stand against it
             * @example [
             *       "below-min-age"
             *     ]
             */
            reasons: ("not-owned" | "expired" | "revoked" | "below-min-age" | "game-not-available" | "player-closed")[];
            /**
             * @description In the library, neither revoked nor expired
             * @example true
             */
            owns: boolean;
            /**
             * @description Owned without an end
             * @example true
             */
            permanent: boolean;
            /**
             * @description When it ends or ended
             * @example null
             */
            expiresAt: string | null;
            /**
             * @description unknown: the game has an age limit, and no birth date is known; this alone does not refuse
             * @example failed
             * @enum {string}
             */
            ageGate: "passed" | "failed" | "unknown";
            /**
             * @example released
             * @enum {string}
             */
            gameStatus: "draft" | "submitted" | "in_review" | "changes_requested" | "approved" | "announced" | "early_access" | "released" | "delisted" | "retired" | "rejected" | "withdrawn" | "cancelled";
        };
        PlaytimeAnswer: {
            /** @description One for each item, in their order */
            data: {
                /**
                 * @example updated
                 * @enum {string}
                 */
                status: "updated" | "unchanged" | "error";
                /**
                 * Format: uuid
                 * @description Of the line of the library
                 */
                id?: string;
                /**
                 * @description The total that is kept
                 * @example 93600
                 */
                playtimeSeconds?: number;
                firstPlayedAt?: string | null;
                lastPlayedAt?: string | null;
                /** @description Only with status error */
                problem?: {
                    /** @example not-found */
                    code: string;
                    /** @example 404 */
                    status: number;
                    /** @example The game is not in this library on this platform */
                    detail: string;
                } & {
                    [key: string]: unknown;
                };
            }[];
        };
        StudioStats: {
            /**
             * Format: uuid
             * @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b12
             */
            studioId: string;
            games: {
                /** @example 7 */
                total: number;
                byStatus: {
                    /** @example 0 */
                    draft: number;
                    /** @example 0 */
                    submitted: number;
                    /** @example 0 */
                    in_review: number;
                    /** @example 0 */
                    changes_requested: number;
                    /** @example 0 */
                    approved: number;
                    /** @example 0 */
                    announced: number;
                    /** @example 0 */
                    early_access: number;
                    /** @example 7 */
                    released: number;
                    /** @example 0 */
                    delisted: number;
                    /** @example 0 */
                    retired: number;
                    /** @example 0 */
                    rejected: number;
                    /** @example 0 */
                    withdrawn: number;
                    /** @example 0 */
                    cancelled: number;
                };
            };
            players: {
                /**
                 * @description Players who own a game of the studio now; null: fewer than 5, or it would tell of fewer than 5
                 * @example 48211
                 */
                total: number | null;
                /**
                 * @description Those of them who have played; null: fewer than 5, or it would tell of fewer than 5
                 * @example 40120
                 */
                played: number | null;
                /**
                 * @description Players by platform; who owns on several counts on each. Not there: fewer than 5, or it would tell of them
                 * @example {
                 *       "windows": 45007,
                 *       "switch": 6012
                 *     }
                 */
                byPlatform: {
                    [key: string]: number;
                };
            };
            /**
             * @description Of these players, in total; null: of fewer than five players
             * @example 5184000000
             */
            playtimeSeconds: number | null;
        };
        AuditEventPage: {
            data: (components["schemas"]["AuditEvent"] | components["schemas"]["AuditEventSelection"])[];
            page: {
                /** @example 50 */
                limit: number;
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example eyJ2IjoxLCJmIjoiM2EifQ
                 */
                next: string | null;
                /**
                 * @description The cursor of the page before
                 * @example null
                 */
                prev: string | null;
                /** @description Rows of the whole list; only with count */
                total?: number;
                /** @enum {string} */
                totalKind?: "estimated" | "exact";
            };
        };
        AuditEvent: {
            /**
             * @description Grows with every event; gaps mean nothing
             * @example 4711
             */
            seq: number;
            /** Format: date-time */
            occurredAt: string;
            /** @enum {string} */
            actorType: "api_key" | "user" | "system";
            /** @example k3v9x0m2q7ab */
            actorId: string;
            /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
            requestId: string;
            /** @example studio.update */
            action: string;
            /** @enum {string} */
            entityType: "studio" | "owner" | "membership" | "game" | "game_platform" | "player" | "player_game" | "api_key" | "snapshot";
            /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b12 */
            entityId: string;
            studioId: string | null;
            /**
             * @description Personal: absent without the scope players:read.personal
             * @example requested by phone
             */
            reason?: string | null;
            /**
             * @description Of each field {from, to}, of a personal one only "changed"; none of a player that an import created, the record tells them; $ifMatch "*" marks a change that overwrote on purpose
             * @example {
             *       "name": {
             *         "from": "Comet",
             *         "to": "Comet Forge"
             *       }
             *     }
             */
            changes: {
                [key: string]: unknown;
            };
        };
        /** @description Only the fields that `fields` names, and the key */
        AuditEventSelection: {
            /**
             * @description Grows with every event; gaps mean nothing
             * @example 4711
             */
            seq: number;
            /** Format: date-time */
            occurredAt?: string;
            /** @enum {string} */
            actorType?: "api_key" | "user" | "system";
            /** @example k3v9x0m2q7ab */
            actorId?: string;
            /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
            requestId?: string;
            /** @example studio.update */
            action?: string;
            /** @enum {string} */
            entityType?: "studio" | "owner" | "membership" | "game" | "game_platform" | "player" | "player_game" | "api_key" | "snapshot";
            /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b12 */
            entityId?: string;
            studioId?: string | null;
            /**
             * @description Personal: absent without the scope players:read.personal
             * @example requested by phone
             */
            reason?: string | null;
            /**
             * @description Of each field {from, to}, of a personal one only "changed"; none of a player that an import created, the record tells them; $ifMatch "*" marks a change that overwrote on purpose
             * @example {
             *       "name": {
             *         "from": "Comet",
             *         "to": "Comet Forge"
             *       }
             *     }
             */
            changes?: {
                [key: string]: unknown;
            };
        };
        /**
         * @description Proves that an export is whole; one without it was cut off
         * @example {
         *       "_end": {
         *         "rows": 1,
         *         "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
         *       }
         *     }
         */
        ExportEnd: {
            _end: {
                rows: number;
                /** @description Of every byte before this line, in hexadecimal */
                sha256: string;
            };
        };
        StudioPage: {
            data: (components["schemas"]["Studio"] | components["schemas"]["StudioSelection"])[];
            page: {
                /** @example 50 */
                limit: number;
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example eyJ2IjoxLCJmIjoiM2EifQ
                 */
                next: string | null;
                /**
                 * @description The cursor of the page before
                 * @example null
                 */
                prev: string | null;
                /** @description Rows of the whole list; only with count */
                total?: number;
                /** @enum {string} */
                totalKind?: "estimated" | "exact";
            };
        };
        /** @description Only the fields that `fields` names, and the key */
        StudioSelection: {
            /** Format: uuid */
            id: string;
            slug?: string;
            /** @example Comet Forge */
            name?: string;
            legalName?: string | null;
            country?: string | null;
            website?: string | null;
            /** @enum {string} */
            status?: "prospect" | "in_review" | "active" | "suspended" | "rejected" | "closed";
            /** Format: date-time */
            statusChangedAt?: string;
            externalRef?: string | null;
            version?: number;
            /** Format: date-time */
            createdAt?: string;
            /** Format: date-time */
            updatedAt?: string;
        };
        StudioTransitions: {
            /** @enum {string} */
            status: "prospect" | "in_review" | "active" | "suspended" | "rejected" | "closed";
            allowed: {
                /** @enum {string} */
                to: "prospect" | "in_review" | "active" | "suspended" | "rejected" | "closed";
                ready: boolean;
                /** @example [] */
                missing: string[];
            }[];
        };
        MembershipPage: {
            data: (components["schemas"]["MembershipWithParts"] | components["schemas"]["MembershipSelection"])[];
            page: {
                /** @example 50 */
                limit: number;
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example eyJ2IjoxLCJmIjoiM2EifQ
                 */
                next: string | null;
                /**
                 * @description The cursor of the page before
                 * @example null
                 */
                prev: string | null;
                /** @description Rows of the whole list; only with count */
                total?: number;
                /** @enum {string} */
                totalKind?: "estimated" | "exact";
            };
        };
        MembershipWithParts: {
            /** Format: uuid */
            studioId: string;
            /** Format: uuid */
            ownerId: string;
            /** @enum {string} */
            role: "owner" | "admin" | "finance" | "developer" | "viewer";
            /** @enum {string} */
            status: "invited" | "active" | "left";
            ownershipPercent: number | null;
            joinedAt: string | null;
            /** @example null */
            leftAt: string | null;
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description the owner, without personal fields unless the scope owners:read.personal is there; only with expand=owner */
            owner?: components["schemas"]["Owner"];
            /** @description the studio; only with expand=studio */
            studio?: components["schemas"]["Studio"];
        };
        Owner: {
            /** Format: uuid */
            id: string;
            /** @description Personal: absent without the scope owners:read.personal */
            fullName?: string | null;
            /** @description Personal: absent without the scope owners:read.personal */
            email?: string | null;
            /** @description Personal: absent without the scope owners:read.personal */
            emailVerifiedAt?: string | null;
            /** @description Personal: absent without the scope owners:read.personal */
            country?: string | null;
            /** @description Personal: absent without the scope owners:read.personal */
            authSubject?: string | null;
            /** @enum {string} */
            status: "active" | "disabled" | "erased";
            /** @description Personal: absent without the scope owners:read.personal */
            externalRef?: string | null;
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        /** @description Only the fields that `fields` names, and the key */
        MembershipSelection: {
            /** Format: uuid */
            studioId: string;
            /** Format: uuid */
            ownerId: string;
            /** @enum {string} */
            role?: "owner" | "admin" | "finance" | "developer" | "viewer";
            /** @enum {string} */
            status?: "invited" | "active" | "left";
            ownershipPercent?: number | null;
            joinedAt?: string | null;
            /** @example null */
            leftAt?: string | null;
            version?: number;
            /** Format: date-time */
            createdAt?: string;
            /** Format: date-time */
            updatedAt?: string;
            /** @description the owner, without personal fields unless the scope owners:read.personal is there; only with expand=owner */
            owner?: components["schemas"]["Owner"];
            /** @description the studio; only with expand=studio */
            studio?: components["schemas"]["Studio"];
        };
        Membership: {
            /** Format: uuid */
            studioId: string;
            /** Format: uuid */
            ownerId: string;
            /** @enum {string} */
            role: "owner" | "admin" | "finance" | "developer" | "viewer";
            /** @enum {string} */
            status: "invited" | "active" | "left";
            ownershipPercent: number | null;
            joinedAt: string | null;
            /** @example null */
            leftAt: string | null;
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        OwnerPage: {
            data: (components["schemas"]["Owner"] | components["schemas"]["OwnerSelection"])[];
            page: {
                /** @example 50 */
                limit: number;
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example eyJ2IjoxLCJmIjoiM2EifQ
                 */
                next: string | null;
                /**
                 * @description The cursor of the page before
                 * @example null
                 */
                prev: string | null;
                /** @description Rows of the whole list; only with count */
                total?: number;
                /** @enum {string} */
                totalKind?: "estimated" | "exact";
            };
        };
        /** @description Only the fields that `fields` names, and the key */
        OwnerSelection: {
            /** Format: uuid */
            id: string;
            /** @description Personal: absent without the scope owners:read.personal */
            fullName?: string | null;
            /** @description Personal: absent without the scope owners:read.personal */
            email?: string | null;
            /** @description Personal: absent without the scope owners:read.personal */
            emailVerifiedAt?: string | null;
            /** @description Personal: absent without the scope owners:read.personal */
            country?: string | null;
            /** @description Personal: absent without the scope owners:read.personal */
            authSubject?: string | null;
            /** @enum {string} */
            status?: "active" | "disabled" | "erased";
            /** @description Personal: absent without the scope owners:read.personal */
            externalRef?: string | null;
            version?: number;
            /** Format: date-time */
            createdAt?: string;
            /** Format: date-time */
            updatedAt?: string;
        };
        OwnerTransitions: {
            /** @enum {string} */
            status: "active" | "disabled" | "erased";
            allowed: {
                /** @enum {string} */
                to: "active" | "disabled" | "erased";
                ready: boolean;
                /** @example [] */
                missing: string[];
            }[];
        };
        GamePage: {
            data: (components["schemas"]["GameWithParts"] | components["schemas"]["GameSelection"])[];
            page: {
                /** @example 50 */
                limit: number;
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example eyJ2IjoxLCJmIjoiM2EifQ
                 */
                next: string | null;
                /**
                 * @description The cursor of the page before
                 * @example null
                 */
                prev: string | null;
                /** @description Rows of the whole list; only with count */
                total?: number;
                /** @enum {string} */
                totalKind?: "estimated" | "exact";
            };
        };
        GameWithParts: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            studioId: string;
            slug: string;
            title: string;
            summary: string | null;
            /**
             * @example [
             *       "strategy",
             *       "simulation"
             *     ]
             */
            genres: ("action" | "adventure" | "rpg" | "strategy" | "simulation" | "puzzle" | "platformer" | "shooter" | "fighting" | "sports" | "racing" | "horror" | "survival" | "sandbox" | "roguelike" | "visual_novel" | "rhythm" | "card" | "party" | "idle" | "educational" | "other")[];
            minAge: number | null;
            releaseDate: string | null;
            /** @enum {string} */
            releasePrecision: "day" | "month" | "quarter" | "year" | "tba";
            /** @enum {string} */
            status: "draft" | "submitted" | "in_review" | "changes_requested" | "approved" | "announced" | "early_access" | "released" | "delisted" | "retired" | "rejected" | "withdrawn" | "cancelled";
            /** Format: date-time */
            statusChangedAt: string;
            externalRef: string | null;
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description the studio; only with expand=studio */
            studio?: components["schemas"]["Studio"];
            /** @description where it ships; only with expand=platforms */
            platforms?: components["schemas"]["GamePlatform"][];
        };
        GamePlatform: {
            /** Format: uuid */
            gameId: string;
            /** @enum {string} */
            platform: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
            store: string;
            storeAppId: string | null;
            releasedOn: string | null;
            /** @example null */
            delistedOn: string | null;
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        /** @description Only the fields that `fields` names, and the key */
        GameSelection: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            studioId?: string;
            slug?: string;
            title?: string;
            summary?: string | null;
            /**
             * @example [
             *       "strategy",
             *       "simulation"
             *     ]
             */
            genres?: ("action" | "adventure" | "rpg" | "strategy" | "simulation" | "puzzle" | "platformer" | "shooter" | "fighting" | "sports" | "racing" | "horror" | "survival" | "sandbox" | "roguelike" | "visual_novel" | "rhythm" | "card" | "party" | "idle" | "educational" | "other")[];
            minAge?: number | null;
            releaseDate?: string | null;
            /** @enum {string} */
            releasePrecision?: "day" | "month" | "quarter" | "year" | "tba";
            /** @enum {string} */
            status?: "draft" | "submitted" | "in_review" | "changes_requested" | "approved" | "announced" | "early_access" | "released" | "delisted" | "retired" | "rejected" | "withdrawn" | "cancelled";
            /** Format: date-time */
            statusChangedAt?: string;
            externalRef?: string | null;
            version?: number;
            /** Format: date-time */
            createdAt?: string;
            /** Format: date-time */
            updatedAt?: string;
            /** @description the studio; only with expand=studio */
            studio?: components["schemas"]["Studio"];
            /** @description where it ships; only with expand=platforms */
            platforms?: components["schemas"]["GamePlatform"][];
        };
        GameTransitions: {
            /** @enum {string} */
            status: "draft" | "submitted" | "in_review" | "changes_requested" | "approved" | "announced" | "early_access" | "released" | "delisted" | "retired" | "rejected" | "withdrawn" | "cancelled";
            allowed: {
                /** @enum {string} */
                to: "draft" | "submitted" | "in_review" | "changes_requested" | "approved" | "announced" | "early_access" | "released" | "delisted" | "retired" | "rejected" | "withdrawn" | "cancelled";
                ready: boolean;
                /** @example [] */
                missing: string[];
            }[];
        };
        GamePlatforms: {
            data: components["schemas"]["GamePlatform"][];
        };
        PlayerPage: {
            data: (components["schemas"]["PlayerWithParts"] | components["schemas"]["PlayerSelection"])[];
            page: {
                /** @example 50 */
                limit: number;
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example eyJ2IjoxLCJmIjoiM2EifQ
                 */
                next: string | null;
                /**
                 * @description The cursor of the page before
                 * @example null
                 */
                prev: string | null;
                /** @description Rows of the whole list; only with count */
                total?: number;
                /** @enum {string} */
                totalKind?: "estimated" | "exact";
            };
        };
        PlayerWithParts: {
            /** Format: uuid */
            id: string;
            /** @description Personal: absent without the scope players:read.personal */
            username?: string;
            /** @description Personal: absent without the scope players:read.personal */
            displayName?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            email?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            emailVerifiedAt?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            birthDate?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            country?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            locale?: string | null;
            /** @enum {string} */
            status: "active" | "closed" | "erasure_pending" | "erased";
            /** @example null */
            closedAt: string | null;
            /** @example null */
            erasedAt: string | null;
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description the accounts elsewhere that are linked now, the first 50; only with expand=identities */
            identities?: {
                data: components["schemas"]["Identity"][];
                /** @description True: the others are read at /v1/players/{id}/identities */
                hasMore: boolean;
            };
        };
        Identity: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            playerId: string;
            /** @enum {string} */
            provider: "steam" | "epic" | "psn" | "xbox" | "nintendo" | "apple" | "google" | "discord" | "studio";
            namespace: string;
            /** @description Personal: absent without the scope players:read.personal */
            subject?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            providerName?: string | null;
            verifiedAt: string | null;
            /** Format: date-time */
            linkedAt: string;
            /** @example null */
            unlinkedAt: string | null;
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        /** @description Only the fields that `fields` names, and the key */
        PlayerSelection: {
            /** Format: uuid */
            id: string;
            /** @description Personal: absent without the scope players:read.personal */
            username?: string;
            /** @description Personal: absent without the scope players:read.personal */
            displayName?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            email?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            emailVerifiedAt?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            birthDate?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            country?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            locale?: string | null;
            /** @enum {string} */
            status?: "active" | "closed" | "erasure_pending" | "erased";
            /** @example null */
            closedAt?: string | null;
            /** @example null */
            erasedAt?: string | null;
            version?: number;
            /** Format: date-time */
            createdAt?: string;
            /** Format: date-time */
            updatedAt?: string;
            /** @description the accounts elsewhere that are linked now, the first 50; only with expand=identities */
            identities?: {
                data: components["schemas"]["Identity"][];
                /** @description True: the others are read at /v1/players/{id}/identities */
                hasMore: boolean;
            };
        };
        PlayerTransitions: {
            /** @enum {string} */
            status: "active" | "closed" | "erasure_pending" | "erased";
            allowed: {
                /** @enum {string} */
                to: "active" | "closed" | "erasure_pending" | "erased";
                ready: boolean;
                /** @example [] */
                missing: string[];
            }[];
        };
        IdentityPage: {
            data: (components["schemas"]["Identity"] | components["schemas"]["IdentitySelection"])[];
            page: {
                /** @example 50 */
                limit: number;
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example eyJ2IjoxLCJmIjoiM2EifQ
                 */
                next: string | null;
                /**
                 * @description The cursor of the page before
                 * @example null
                 */
                prev: string | null;
                /** @description Rows of the whole list; only with count */
                total?: number;
                /** @enum {string} */
                totalKind?: "estimated" | "exact";
            };
        };
        /** @description Only the fields that `fields` names, and the key */
        IdentitySelection: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            playerId?: string;
            /** @enum {string} */
            provider?: "steam" | "epic" | "psn" | "xbox" | "nintendo" | "apple" | "google" | "discord" | "studio";
            namespace?: string;
            /** @description Personal: absent without the scope players:read.personal */
            subject?: string | null;
            /** @description Personal: absent without the scope players:read.personal */
            providerName?: string | null;
            verifiedAt?: string | null;
            /** Format: date-time */
            linkedAt?: string;
            /** @example null */
            unlinkedAt?: string | null;
            version?: number;
            /** Format: date-time */
            createdAt?: string;
            /** Format: date-time */
            updatedAt?: string;
        };
        EntitlementPage: {
            data: (components["schemas"]["EntitlementWithParts"] | components["schemas"]["EntitlementSelection"])[];
            page: {
                /** @example 50 */
                limit: number;
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example eyJ2IjoxLCJmIjoiM2EifQ
                 */
                next: string | null;
                /**
                 * @description The cursor of the page before
                 * @example null
                 */
                prev: string | null;
                /** @description Rows of the whole list; only with count */
                total?: number;
                /** @enum {string} */
                totalKind?: "estimated" | "exact";
            };
        };
        EntitlementWithParts: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            playerId: string;
            /** Format: uuid */
            gameId: string;
            /** @enum {string} */
            platform: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
            /** @enum {string} */
            source: "purchase" | "key" | "gift" | "bundle" | "subscription" | "free" | "promotion" | "beta" | "press" | "staff" | "import";
            /** @description Personal: absent without the scope players:read.personal */
            sourceRef?: string | null;
            /** Format: date-time */
            acquiredAt: string;
            /** @example null */
            expiresAt: string | null;
            /** @example null */
            revokedAt: string | null;
            /** @example null */
            revokeReason: ("refund" | "chargeback" | "fraud" | "mistake" | "expired_grant" | "other") | null;
            playtimeSeconds: number;
            firstPlayedAt: string | null;
            lastPlayedAt: string | null;
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description the game; only with expand=game */
            game?: components["schemas"]["Game"];
            /** @description the player, without personal fields unless the scope players:read.personal is there; only with expand=player */
            player?: components["schemas"]["Player"];
        };
        /** @description Only the fields that `fields` names, and the key */
        EntitlementSelection: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            playerId?: string;
            /** Format: uuid */
            gameId?: string;
            /** @enum {string} */
            platform?: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
            /** @enum {string} */
            source?: "purchase" | "key" | "gift" | "bundle" | "subscription" | "free" | "promotion" | "beta" | "press" | "staff" | "import";
            /** @description Personal: absent without the scope players:read.personal */
            sourceRef?: string | null;
            /** Format: date-time */
            acquiredAt?: string;
            /** @example null */
            expiresAt?: string | null;
            /** @example null */
            revokedAt?: string | null;
            /** @example null */
            revokeReason?: ("refund" | "chargeback" | "fraud" | "mistake" | "expired_grant" | "other") | null;
            playtimeSeconds?: number;
            firstPlayedAt?: string | null;
            lastPlayedAt?: string | null;
            version?: number;
            /** Format: date-time */
            createdAt?: string;
            /** Format: date-time */
            updatedAt?: string;
            /** @description the game; only with expand=game */
            game?: components["schemas"]["Game"];
            /** @description the player, without personal fields unless the scope players:read.personal is there; only with expand=player */
            player?: components["schemas"]["Player"];
        };
        Entitlement: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            playerId: string;
            /** Format: uuid */
            gameId: string;
            /** @enum {string} */
            platform: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
            /** @enum {string} */
            source: "purchase" | "key" | "gift" | "bundle" | "subscription" | "free" | "promotion" | "beta" | "press" | "staff" | "import";
            /** @description Personal: absent without the scope players:read.personal */
            sourceRef?: string | null;
            /** Format: date-time */
            acquiredAt: string;
            /** @example null */
            expiresAt: string | null;
            /** @example null */
            revokedAt: string | null;
            /** @example null */
            revokeReason: ("refund" | "chargeback" | "fraud" | "mistake" | "expired_grant" | "other") | null;
            playtimeSeconds: number;
            firstPlayedAt: string | null;
            lastPlayedAt: string | null;
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        ImportAnswer: {
            line: number;
            /** @description In a JSON array: the place of the element */
            index?: number;
            /** @enum {string} */
            status: "created" | "updated" | "unchanged";
            /**
             * Format: uuid
             * @description Absent of a record that a dry run would create
             */
            id?: string;
            version?: number;
        } | {
            line: number;
            /** @description In a JSON array: the place of the element */
            index?: number;
            /** @constant */
            status: "error";
            problem: {
                code: string;
                status: number;
                detail: string;
                errors?: ({
                    pointer?: string;
                    code: string;
                    detail?: string;
                } & {
                    [key: string]: unknown;
                })[];
            } & {
                [key: string]: unknown;
            };
        } | {
            _end: {
                lines: number;
                created: number;
                updated: number;
                unchanged: number;
                errors: number;
                dryRun: boolean;
                /**
                 * @description Of an atomic import: nothing was written
                 * @constant
                 */
                rolledBack?: true;
                /**
                 * @description Of a job: the rest was not looked at
                 * @constant
                 */
                cancelled?: true;
                /**
                 * @description After onError=abort: the rest was not looked at
                 * @constant
                 */
                aborted?: true;
            };
        } | {
            _problem: {
                code: string;
                status: number;
                detail: string;
                errors?: ({
                    pointer?: string;
                    code: string;
                    detail?: string;
                } & {
                    [key: string]: unknown;
                })[];
            } & {
                [key: string]: unknown;
            };
            /** @description What was answered until the import failed; it stays */
            totals: {
                lines: number;
                created: number;
                updated: number;
                unchanged: number;
                errors: number;
            };
        };
        Job: {
            /** Format: uuid */
            id: string;
            /**
             * @example export
             * @enum {string}
             */
            kind: "import" | "export";
            /**
             * @description What is imported or exported
             * @example players
             */
            resource: string;
            /**
             * @example running
             * @enum {string}
             */
            state: "queued" | "running" | "succeeded" | "succeeded_with_errors" | "failed" | "cancelled";
            /** @enum {string} */
            callerType: "api_key" | "user" | "system";
            /**
             * @description Who submitted it
             * @example k3v9x0m2q7ab
             */
            callerId: string;
            /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
            requestId: string;
            /**
             * @description Lines or rows so far
             * @example 48000
             */
            progressDone: number;
            /**
             * @description Of so many, where that is known
             * @example 120000
             */
            progressTotal: number | null;
            /**
             * @description Lines that went wrong; the first 10000 are kept
             * @example 0
             */
            errorLines: number;
            /**
             * @description What was done, once the job has ended: the totals of an import or export
             * @example null
             */
            summary: {
                [key: string]: unknown;
            } | null;
            /**
             * @description Why the job failed
             * @example null
             */
            problem: components["schemas"]["Problem"] | null;
            /** Format: date-time */
            createdAt: string;
            startedAt: string | null;
            /** @example null */
            cancelRequestedAt: string | null;
            /** @example null */
            finishedAt: string | null;
            /**
             * @description When the job and its result are forgotten: 7 days after its end
             * @example null
             */
            expiresAt: string | null;
        };
        JobPage: {
            data: (components["schemas"]["Job"] | components["schemas"]["JobSelection"])[];
            page: {
                /** @example 50 */
                limit: number;
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example eyJ2IjoxLCJmIjoiM2EifQ
                 */
                next: string | null;
                /**
                 * @description The cursor of the page before
                 * @example null
                 */
                prev: string | null;
                /** @description Rows of the whole list; only with count */
                total?: number;
                /** @enum {string} */
                totalKind?: "estimated" | "exact";
            };
        };
        /** @description Only the fields that `fields` names, and the key */
        JobSelection: {
            /** Format: uuid */
            id: string;
            /**
             * @example export
             * @enum {string}
             */
            kind?: "import" | "export";
            /**
             * @description What is imported or exported
             * @example players
             */
            resource?: string;
            /**
             * @example running
             * @enum {string}
             */
            state?: "queued" | "running" | "succeeded" | "succeeded_with_errors" | "failed" | "cancelled";
            /** @enum {string} */
            callerType?: "api_key" | "user" | "system";
            /**
             * @description Who submitted it
             * @example k3v9x0m2q7ab
             */
            callerId?: string;
            /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
            requestId?: string;
            /**
             * @description Lines or rows so far
             * @example 48000
             */
            progressDone?: number;
            /**
             * @description Of so many, where that is known
             * @example 120000
             */
            progressTotal?: number | null;
            /**
             * @description Lines that went wrong; the first 10000 are kept
             * @example 0
             */
            errorLines?: number;
            /**
             * @description What was done, once the job has ended: the totals of an import or export
             * @example null
             */
            summary?: {
                [key: string]: unknown;
            } | null;
            /**
             * @description Why the job failed
             * @example null
             */
            problem?: components["schemas"]["Problem"] | null;
            /** Format: date-time */
            createdAt?: string;
            startedAt?: string | null;
            /** @example null */
            cancelRequestedAt?: string | null;
            /** @example null */
            finishedAt?: string | null;
            /**
             * @description When the job and its result are forgotten: 7 days after its end
             * @example null
             */
            expiresAt?: string | null;
        };
        JobErrorPage: {
            data: components["schemas"]["JobErrorLine"][];
            page: {
                /** @example 100 */
                limit: number;
                /** @example false */
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example null
                 */
                next: string | null;
                prev: null;
            };
        };
        /**
         * @description A line that went wrong, as the answer of an import tells it; never its content
         * @example {
         *       "line": 2,
         *       "status": "error",
         *       "problem": {
         *         "code": "validation",
         *         "status": 422
         *       }
         *     }
         */
        JobErrorLine: {
            [key: string]: unknown;
        };
        /** @description What an export consists of; each part is an export of its own, with its end line */
        ExportManifest: {
            /** @example players */
            resource: string;
            /** @enum {string} */
            format: "ndjson" | "csv";
            /** @example 48211 */
            rows: number;
            parts: {
                /** @example 1 */
                number: number;
                /** @example /v1/jobs/0193b3f0-5b7e-7c1d-9a55-0e7c0f3d2b11/result/parts/1 */
                href: string;
                /** @example players-00001.ndjson */
                name: string;
                /** @example application/x-ndjson */
                type: string;
                /** @example 48211 */
                rows: number;
                /** @example 9642200 */
                bytes: number;
                /**
                 * @description Of the part as it is sent, in hex
                 * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                 */
                sha256: string;
            }[];
        };
        ApiKeyPage: {
            data: (components["schemas"]["ApiKey"] | components["schemas"]["ApiKeySelection"])[];
            page: {
                /** @example 50 */
                limit: number;
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example eyJ2IjoxLCJmIjoiM2EifQ
                 */
                next: string | null;
                /**
                 * @description The cursor of the page before
                 * @example null
                 */
                prev: string | null;
                /** @description Rows of the whole list; only with count */
                total?: number;
                /** @enum {string} */
                totalKind?: "estimated" | "exact";
            };
        };
        ApiKey: {
            /** @example k3v9x0m2q7ab */
            id: string;
            /** @example Store front */
            name: string;
            /**
             * @example [
             *       "players:read"
             *     ]
             */
            scopes: string[];
            /**
             * @description The key or command that made it
             * @example command-line
             */
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string;
            /** @description To the minute */
            lastUsedAt: string | null;
            /** @example null */
            revokedAt: string | null;
            /**
             * @description The key that took its place by a rotation
             * @example null
             */
            replacedBy: string | null;
        };
        /** @description Only the fields that `fields` names, and the key */
        ApiKeySelection: {
            /** @example k3v9x0m2q7ab */
            id: string;
            /** @example Store front */
            name?: string;
            /**
             * @example [
             *       "players:read"
             *     ]
             */
            scopes?: string[];
            /**
             * @description The key or command that made it
             * @example command-line
             */
            createdBy?: string;
            /** Format: date-time */
            createdAt?: string;
            /** Format: date-time */
            expiresAt?: string;
            /** @description To the minute */
            lastUsedAt?: string | null;
            /** @example null */
            revokedAt?: string | null;
            /**
             * @description The key that took its place by a rotation
             * @example null
             */
            replacedBy?: string | null;
        };
        CreatedApiKey: {
            /** @example k3v9x0m2q7ab */
            id: string;
            /** @example Store front */
            name: string;
            /**
             * @example [
             *       "players:read"
             *     ]
             */
            scopes: string[];
            /**
             * @description The key or command that made it
             * @example command-line
             */
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string;
            /** @description To the minute */
            lastUsedAt: string | null;
            /** @example null */
            revokedAt: string | null;
            /**
             * @description The key that took its place by a rotation
             * @example null
             */
            replacedBy: string | null;
            /**
             * @description The secret, to be sent as Authorization: Bearer. It is stored nowhere and cannot be had again
             * @example rg_live_k3v9x0m2q7ab_EXAMPLE-EXAMPLE-EXAMPLE-EXAMPLE-EXAMPLE-EXA_000000
             */
            token: string;
        };
        RotatedApiKey: {
            /** @example k3v9x0m2q7ab */
            id: string;
            /** @example Store front */
            name: string;
            /**
             * @example [
             *       "players:read"
             *     ]
             */
            scopes: string[];
            /**
             * @description The key or command that made it
             * @example command-line
             */
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string;
            /** @description To the minute */
            lastUsedAt: string | null;
            /** @example null */
            revokedAt: string | null;
            /**
             * @description The key that took its place by a rotation
             * @example null
             */
            replacedBy: string | null;
            /**
             * @description The secret, to be sent as Authorization: Bearer. It is stored nowhere and cannot be had again
             * @example rg_live_k3v9x0m2q7ab_EXAMPLE-EXAMPLE-EXAMPLE-EXAMPLE-EXAMPLE-EXA_000000
             */
            token: string;
            /** @description The old key, which lives 24 hours more */
            replaced: components["schemas"]["ApiKey"];
        };
        LakeTables: {
            data: components["schemas"]["LakeTable"][];
        };
        /**
         * @example {
         *       "name": "studios",
         *       "glueTable": "studios",
         *       "description": "A partner company, from first contact to closed",
         *       "version": 1,
         *       "fingerprint": "9f2c0c7f0f6a4b1d8e5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d",
         *       "views": [
         *         "studios_latest",
         *         "studios_daily"
         *       ],
         *       "columns": [
         *         {
         *           "name": "slug",
         *           "type": "string",
         *           "nullable": false,
         *           "class": "public",
         *           "action": "include",
         *           "source": "slug",
         *           "reason": null,
         *           "description": "Name in addresses, unique",
         *           "unit": null,
         *           "values": null,
         *           "deprecated": false
         *         }
         *       ],
         *       "withheld": [],
         *       "lastSnapshot": {
         *         "id": "20260305t020000z-01kaq3c9",
         *         "takenAt": "2026-03-05T02:00:00.731204Z",
         *         "rows": 30,
         *         "bytes": 9214
         *       }
         *     }
         */
        LakeTable: {
            name: string;
            glueTable: string;
            description: string;
            version: number;
            fingerprint: string;
            views: string[];
            columns: {
                name: string;
                /** @description As Athena says it */
                type: string;
                nullable: boolean;
                /** @enum {string} */
                class: "public" | "internal" | "personal" | "secret";
                /** @enum {string} */
                action: "include" | "pseudonymise" | "generalise";
                /** @description The column of the record that it comes from */
                source: string;
                /** @description Why a personal column is in the lake all the same */
                reason: string | null;
                /** @description What a value means */
                description: string | null;
                /** @description Of a number */
                unit: string | null;
                /** @description All labels of an enum; null for other columns */
                values: string[] | null;
                /** @description Only NULL, or a copy of the column that replaces it; leaves with the next version */
                deprecated: boolean;
            }[];
            /** @description Columns of the record that never leave the database */
            withheld: {
                source: string;
                class: string;
            }[];
            lastSnapshot: {
                id: string;
                takenAt: string | null;
                rows: number | null;
                bytes: number | null;
            } | null;
        };
        SnapshotPage: {
            data: components["schemas"]["Snapshot"][];
            page: {
                /** @example 50 */
                limit: number;
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example eyJ2IjoxLCJmIjoiM2EifQ
                 */
                next: string | null;
                /**
                 * @description The cursor of the page before
                 * @example null
                 */
                prev: string | null;
                /** @description Rows of the whole list; only with count */
                total?: number;
                /** @enum {string} */
                totalKind?: "estimated" | "exact";
            };
        };
        /**
         * @example {
         *       "id": "20260305t020000z-01kaq3c9",
         *       "sequence": 12,
         *       "state": "published",
         *       "requestedBy": "api_key:k3v9x0m2q7ab",
         *       "requestedAt": "2026-03-05T02:00:00.000Z",
         *       "startedAt": "2026-03-05T02:00:00.412Z",
         *       "preparedAt": "2026-03-05T02:00:03.120Z",
         *       "committedAt": "2026-03-05T02:00:03.655Z",
         *       "publishedAt": "2026-03-05T02:00:05.208Z",
         *       "retiringAt": null,
         *       "endedAt": "2026-03-05T02:00:05.208Z",
         *       "abandoned": false,
         *       "takenAt": "2026-03-05T02:00:00.731204Z",
         *       "totalRows": 30,
         *       "totalBytes": 9214,
         *       "manifestSha256": "9f2c0c7f0f6a4b1d8e5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d",
         *       "phase": null,
         *       "phases": [
         *         {
         *           "name": "planning",
         *           "seconds": 0.31
         *         },
         *         {
         *           "name": "uploading",
         *           "seconds": 2.38
         *         },
         *         {
         *           "name": "preparing",
         *           "seconds": 0.018
         *         },
         *         {
         *           "name": "crawler_wait",
         *           "seconds": 0.05
         *         },
         *         {
         *           "name": "completing",
         *           "seconds": 0.42
         *         },
         *         {
         *           "name": "manifest",
         *           "seconds": 0.065
         *         },
         *         {
         *           "name": "catalogue",
         *           "seconds": 0.12
         *         },
         *         {
         *           "name": "crawl",
         *           "seconds": 1.1
         *         },
         *         {
         *           "name": "views",
         *           "seconds": 0.333
         *         }
         *       ],
         *       "rowsPerSecond": 13,
         *       "measurements": {
         *         "partsSent": 1,
         *         "partsResent": 0,
         *         "slowDowns": 0,
         *         "callsRepeated": 0,
         *         "unrepresentable": 0,
         *         "driftFindings": 0,
         *         "readers": 1,
         *         "cpuSeconds": 1.42,
         *         "peakRssBytes": 180355072
         *       },
         *       "problem": null,
         *       "tables": [
         *         {
         *           "name": "studios",
         *           "state": "uploaded",
         *           "estimatedRows": 30,
         *           "rowsCopied": 30,
         *           "rowsEncoded": 30,
         *           "bytes": 9214,
         *           "files": 1
         *         }
         *       ]
         *     }
         */
        Snapshot: {
            id: string;
            sequence: number;
            /** @enum {string} */
            state: "requested" | "planning" | "uploading" | "prepared" | "committing" | "committed" | "published" | "retiring" | "retired" | "failed";
            requestedBy: string;
            /** Format: date-time */
            requestedAt: string;
            startedAt: string | null;
            preparedAt: string | null;
            committedAt: string | null;
            publishedAt: string | null;
            retiringAt: string | null;
            endedAt: string | null;
            /** @description Its process is gone: recovery, at the latest within the hour, finishes or removes it */
            abandoned: boolean;
            /** @description The instant of the database that every table shows */
            takenAt: string | null;
            totalRows: number | null;
            totalBytes: number | null;
            manifestSha256: string | null;
            /** @description What it is doing now; null when it is over */
            phase: ("planning" | "uploading" | "preparing" | "crawler_wait" | "completing" | "manifest" | "catalogue" | "crawl" | "views") | null;
            /** @description What it has done, in this order; of the phase under way the time until now */
            phases: {
                /** @enum {string} */
                name: "planning" | "uploading" | "preparing" | "crawler_wait" | "completing" | "manifest" | "catalogue" | "crawl" | "views";
                seconds: number;
            }[];
            /** @description While rows were read and uploaded */
            rowsPerSecond: number | null;
            /** @description What the run has cost */
            measurements: {
                partsSent: number;
                partsResent: number;
                /** @description Times that S3 asked to slow down */
                slowDowns: number;
                /** @description Calls to S3 that were repeated, those of parts included */
                callsRepeated: number;
                /** @description Values that Parquet cannot hold and that became NULL */
                unrepresentable: number;
                /** @description Differences between catalogue and contract that stand in the way */
                driftFindings: number;
                readers: number;
                cpuSeconds: number;
                peakRssBytes: number;
            } | null;
            /** @description Why it failed, or why it has not got further yet */
            problem: ({
                code: string;
                message: string;
                /** @description The state in which it happened */
                phase: string;
                /** @description What to do about it */
                next: string;
            } & {
                [key: string]: unknown;
            }) | null;
            tables: {
                name: string;
                state: string;
                /** @description As the planner believes */
                estimatedRows: number | null;
                rowsCopied: number | null;
                rowsEncoded: number | null;
                bytes: number | null;
                files: number | null;
            }[];
        };
        /**
         * @example {
         *       "id": "20260305t020000z-01kaq3c9",
         *       "sequence": 12,
         *       "state": "published",
         *       "requestedBy": "api_key:k3v9x0m2q7ab",
         *       "requestedAt": "2026-03-05T02:00:00.000Z",
         *       "startedAt": "2026-03-05T02:00:00.412Z",
         *       "preparedAt": "2026-03-05T02:00:03.120Z",
         *       "committedAt": "2026-03-05T02:00:03.655Z",
         *       "publishedAt": "2026-03-05T02:00:05.208Z",
         *       "retiringAt": null,
         *       "endedAt": "2026-03-05T02:00:05.208Z",
         *       "abandoned": false,
         *       "takenAt": "2026-03-05T02:00:00.731204Z",
         *       "totalRows": 30,
         *       "totalBytes": 9214,
         *       "manifestSha256": "9f2c0c7f0f6a4b1d8e5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d",
         *       "phase": null,
         *       "phases": [
         *         {
         *           "name": "planning",
         *           "seconds": 0.31
         *         },
         *         {
         *           "name": "uploading",
         *           "seconds": 2.38
         *         },
         *         {
         *           "name": "preparing",
         *           "seconds": 0.018
         *         },
         *         {
         *           "name": "crawler_wait",
         *           "seconds": 0.05
         *         },
         *         {
         *           "name": "completing",
         *           "seconds": 0.42
         *         },
         *         {
         *           "name": "manifest",
         *           "seconds": 0.065
         *         },
         *         {
         *           "name": "catalogue",
         *           "seconds": 0.12
         *         },
         *         {
         *           "name": "crawl",
         *           "seconds": 1.1
         *         },
         *         {
         *           "name": "views",
         *           "seconds": 0.333
         *         }
         *       ],
         *       "rowsPerSecond": 13,
         *       "measurements": {
         *         "partsSent": 1,
         *         "partsResent": 0,
         *         "slowDowns": 0,
         *         "callsRepeated": 0,
         *         "unrepresentable": 0,
         *         "driftFindings": 0,
         *         "readers": 1,
         *         "cpuSeconds": 1.42,
         *         "peakRssBytes": 180355072
         *       },
         *       "problem": null,
         *       "tables": [
         *         {
         *           "name": "studios",
         *           "state": "uploaded",
         *           "estimatedRows": 30,
         *           "rowsCopied": 30,
         *           "rowsEncoded": 30,
         *           "bytes": 9214,
         *           "files": 1
         *         }
         *       ],
         *       "manifest": {
         *         "manifest_version": 1,
         *         "snapshot_id": "20260305t020000z-01kaq3c9",
         *         "snapshot_date": "2026-03-05",
         *         "sequence": 12,
         *         "fence": 3,
         *         "software": {
         *           "version": "0.1.0",
         *           "git_sha": null
         *         },
         *         "previous_snapshot_id": "20260304t020000z-01kan1x4",
         *         "started_at": "2026-03-05T02:00:00.412Z",
         *         "prepared_at": "2026-03-05T02:00:03.120Z",
         *         "source": {
         *           "database": "accounts",
         *           "pg_version": "18.4",
         *           "system_identifier": "7561198000000001234",
         *           "role": "primary",
         *           "snapshot": "1842:1842:",
         *           "xmin": "1842",
         *           "xmax": "1842",
         *           "wal_lsn": "0/5A21F08",
         *           "taken_at": "2026-03-05T02:00:00.731204Z"
         *         },
         *         "contract_set_fingerprint": "9f2c0c7f0f6a4b1d8e5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d",
         *         "pseudonym_key_version": 1,
         *         "erasure_watermark": null,
         *         "tables": [
         *           {
         *             "name": "studios",
         *             "contract_version": 1,
         *             "fingerprint": "9f2c0c7f0f6a4b1d8e5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d",
         *             "rows": 30,
         *             "bytes": 9214,
         *             "columns": [
         *               {
         *                 "name": "slug",
         *                 "pg_type": "text",
         *                 "parquet_physical": "BYTE_ARRAY",
         *                 "parquet_logical": "STRING",
         *                 "athena_type": "string",
         *                 "nullable": false,
         *                 "class": "public",
         *                 "action": "include"
         *               }
         *             ],
         *             "unrepresentable": {},
         *             "files": [
         *               {
         *                 "key": "lake/v1/studios/snapshot_date=2026-03-05/snapshot_id=20260305t020000z-01kaq3c9/part-00000.parquet",
         *                 "bytes": 9214,
         *                 "rows": 30,
         *                 "row_groups": 1,
         *                 "crc32": "yZRlqg==",
         *                 "sha256": "9f2c0c7f0f6a4b1d8e5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d",
         *                 "tail_sha256": "9f2c0c7f0f6a4b1d8e5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d",
         *                 "tail_bytes": 4410,
         *                 "min_key": null,
         *                 "max_key": null,
         *                 "columns": {
         *                   "slug": {
         *                     "nulls": 0,
         *                     "sum": "5f3a2b1c0d9e8f7a"
         *                   }
         *                 }
         *               }
         *             ]
         *           }
         *         ],
         *         "totals": {
         *           "rows": 30,
         *           "bytes": 9214,
         *           "files": 1
         *         }
         *       }
         *     }
         */
        SnapshotWithManifest: {
            id: string;
            sequence: number;
            /** @enum {string} */
            state: "requested" | "planning" | "uploading" | "prepared" | "committing" | "committed" | "published" | "retiring" | "retired" | "failed";
            requestedBy: string;
            /** Format: date-time */
            requestedAt: string;
            startedAt: string | null;
            preparedAt: string | null;
            committedAt: string | null;
            publishedAt: string | null;
            retiringAt: string | null;
            endedAt: string | null;
            /** @description Its process is gone: recovery, at the latest within the hour, finishes or removes it */
            abandoned: boolean;
            /** @description The instant of the database that every table shows */
            takenAt: string | null;
            totalRows: number | null;
            totalBytes: number | null;
            manifestSha256: string | null;
            /** @description What it is doing now; null when it is over */
            phase: ("planning" | "uploading" | "preparing" | "crawler_wait" | "completing" | "manifest" | "catalogue" | "crawl" | "views") | null;
            /** @description What it has done, in this order; of the phase under way the time until now */
            phases: {
                /** @enum {string} */
                name: "planning" | "uploading" | "preparing" | "crawler_wait" | "completing" | "manifest" | "catalogue" | "crawl" | "views";
                seconds: number;
            }[];
            /** @description While rows were read and uploaded */
            rowsPerSecond: number | null;
            /** @description What the run has cost */
            measurements: {
                partsSent: number;
                partsResent: number;
                /** @description Times that S3 asked to slow down */
                slowDowns: number;
                /** @description Calls to S3 that were repeated, those of parts included */
                callsRepeated: number;
                /** @description Values that Parquet cannot hold and that became NULL */
                unrepresentable: number;
                /** @description Differences between catalogue and contract that stand in the way */
                driftFindings: number;
                readers: number;
                cpuSeconds: number;
                peakRssBytes: number;
            } | null;
            /** @description Why it failed, or why it has not got further yet */
            problem: ({
                code: string;
                message: string;
                /** @description The state in which it happened */
                phase: string;
                /** @description What to do about it */
                next: string;
            } & {
                [key: string]: unknown;
            }) | null;
            tables: {
                name: string;
                state: string;
                /** @description As the planner believes */
                estimatedRows: number | null;
                rowsCopied: number | null;
                rowsEncoded: number | null;
                bytes: number | null;
                files: number | null;
            }[];
            manifest: {
                /** @constant */
                manifest_version: 1;
                snapshot_id: string;
                snapshot_date: string;
                sequence: number;
                fence: number;
                software: {
                    version: string;
                    git_sha: string | null;
                };
                previous_snapshot_id: string | null;
                started_at: string;
                prepared_at: string;
                source: {
                    database: string;
                    pg_version: string;
                    system_identifier: string | null;
                    /** @enum {string} */
                    role: "primary" | "standby";
                    snapshot: string;
                    xmin: string;
                    xmax: string;
                    wal_lsn: string;
                    taken_at: string;
                };
                contract_set_fingerprint: string;
                pseudonym_key_version: number;
                erasure_watermark: string | null;
                tables: {
                    name: string;
                    contract_version: number;
                    fingerprint: string;
                    rows: number;
                    bytes: number;
                    columns: {
                        name: string;
                        pg_type: string;
                        parquet_physical: string;
                        parquet_logical: string | null;
                        athena_type: string;
                        nullable: boolean;
                        class: string;
                        action: string;
                    }[];
                    unrepresentable: {
                        [key: string]: {
                            [key: string]: number;
                        };
                    };
                    files: {
                        key: string;
                        bytes: number;
                        rows: number;
                        row_groups: number;
                        crc32: string;
                        sha256: string;
                        tail_sha256: string;
                        tail_bytes: number;
                        min_key: string | number | null;
                        max_key: string | number | null;
                        columns: {
                            [key: string]: {
                                nulls: number;
                                sum: string;
                            };
                        };
                    }[];
                }[];
                totals: {
                    rows: number;
                    bytes: number;
                    files: number;
                };
            } | null;
        };
        /**
         * @example {
         *       "healthy": true,
         *       "files": 1,
         *       "rows": 30,
         *       "findings": []
         *     }
         */
        VerifyResult: {
            healthy: boolean;
            files: number;
            rows: number;
            findings: ({
                code: string;
                message: string;
            } & {
                [key: string]: unknown;
            })[];
        };
        HoldPage: {
            data: components["schemas"]["Hold"][];
            page: {
                /** @example 50 */
                limit: number;
                hasMore: boolean;
                /**
                 * @description The cursor of the next page
                 * @example eyJ2IjoxLCJmIjoiM2EifQ
                 */
                next: string | null;
                /**
                 * @description The cursor of the page before
                 * @example null
                 */
                prev: string | null;
                /** @description Rows of the whole list; only with count */
                total?: number;
                /** @enum {string} */
                totalKind?: "estimated" | "exact";
            };
        };
        Hold: {
            /** Format: uuid */
            id: string;
            /** @example 20260305t020000z-01kaq3c9 */
            snapshotId: string;
            /** @example nightly report */
            holder: string;
            /** @example reads the snapshot until noon */
            reason: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string;
        };
        QueryList: {
            saved: components["schemas"]["SavedQuery"][];
            data: components["schemas"]["QueryRun"][];
            /**
             * @example {
             *       "limit": 100,
             *       "hasMore": false,
             *       "next": null,
             *       "prev": null
             *     }
             */
            page: {
                limit: number;
                hasMore: boolean;
                next: string | null;
                prev: string | null;
            };
        };
        /**
         * @example {
         *       "name": "registrations-per-day",
         *       "database": "rocketgames",
         *       "title": "Registrations per day",
         *       "description": "New players of each of the last days",
         *       "sql": "SELECT CAST(created_at AS date) AS day, count(*) AS players FROM players_latest GROUP BY 1",
         *       "parameters": [
         *         {
         *           "name": "days",
         *           "type": "integer",
         *           "description": "How many",
         *           "default": 30,
         *           "oneOf": null,
         *           "min": 1,
         *           "max": 365
         *         }
         *       ]
         *     }
         */
        SavedQuery: {
            name: string;
            /** @description Whose views it reads: those of the snapshots, or the curated ones */
            database: string;
            title: string;
            description: string;
            sql: string;
            parameters: {
                name: string;
                /** @enum {string} */
                type: "integer" | "date" | "string";
                description: string;
                default: string | number | null;
                oneOf: string[] | null;
                min: number;
                max: number;
            }[];
        };
        /**
         * @example {
         *       "id": "0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11",
         *       "name": null,
         *       "state": "succeeded",
         *       "sql": "SELECT country, count(*) AS players FROM players_latest GROUP BY 1 ORDER BY 2 DESC LIMIT 2",
         *       "submittedAt": "2026-03-05T09:30:00.000Z",
         *       "completedAt": "2026-03-05T09:30:00.480Z",
         *       "bytesScanned": 18204,
         *       "queuedMs": 12,
         *       "engineMs": 391,
         *       "problem": null
         *     }
         */
        QueryRun: {
            /** Format: uuid */
            id: string;
            /** @description Of the saved query; null for free SQL */
            name: string | null;
            /** @enum {string} */
            state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
            sql: string;
            submittedAt: string | null;
            completedAt: string | null;
            bytesScanned: number;
            queuedMs: number;
            engineMs: number;
            problem: {
                /** @enum {string} */
                code: "budget-exceeded" | "query-failed";
                detail: string;
                engineCode: string | null;
            } | null;
        };
        /**
         * @example {
         *       "columns": [
         *         {
         *           "name": "country",
         *           "type": "varchar"
         *         },
         *         {
         *           "name": "players",
         *           "type": "bigint"
         *         }
         *       ],
         *       "data": [
         *         [
         *           "SE",
         *           2841
         *         ],
         *         [
         *           "DE",
         *           2610
         *         ]
         *       ],
         *       "page": {
         *         "limit": 100,
         *         "hasMore": false,
         *         "next": null,
         *         "prev": null
         *       }
         *     }
         */
        QueryResult: {
            columns: {
                name: string;
                type: string;
            }[];
            /** @description A row is a list of values in the order of the columns; digits beyond 2^53 are text */
            data: (string | number | boolean | null)[][];
            /**
             * @example {
             *       "limit": 100,
             *       "hasMore": false,
             *       "next": null,
             *       "prev": null
             *     }
             */
            page: {
                limit: number;
                hasMore: boolean;
                next: string | null;
                prev: string | null;
            };
        };
    };
    responses: never;
    parameters: {
        /**
         * @description The ETag of the state that the change is based on; * overwrites on purpose
         * @example "7"
         */
        IfMatch: string;
        /** @description The ETag of the state that the change is based on; needed once there is something to overwrite */
        IfMatchOptional: string;
        /** @description * only creates */
        CreateOnly: string;
        /** @description The ETag that you have: 304 when it is still the same */
        IfNoneMatch: string;
        /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
        IdempotencyKey: string;
        /** @description respond-async: 202 and a job as soon as the body is here (RFC 7240) */
        Prefer: string;
        /** @description gzip, when the body is compressed so */
        ContentEncoding: string;
    };
    requestBodies: never;
    headers: {
        /**
         * @description The version of the record, for If-Match
         * @example "7"
         */
        ETag: string;
        /**
         * @description RFC 8288: the page after (rel="next") and before (rel="prev"), where there are some
         * @example </v1/studios?limit=2&cursor=eyJ2IjoxfQ>; rel="next"
         */
        Link: string;
        /**
         * @description Names the request in our log; your own if you sent one of 8 to 128 letters, digits, ".", "_" and "-"
         * @example 0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11
         */
        "X-Request-Id": string;
        /**
         * @description Quotas of the key: q requests in w seconds (draft-ietf-httpapi-ratelimit-headers)
         * @example "default";q=6000;w=60
         */
        "RateLimit-Policy": string;
        /**
         * @description Of each quota, r requests are left for t seconds
         * @example "default";r=5998;t=41
         */
        RateLimit: string;
        /**
         * @description Seconds to wait
         * @example 2
         */
        "Retry-After": string;
        /**
         * @description true: this is the stored answer of an earlier request with the same Idempotency-Key
         * @example true
         */
        "Idempotency-Replayed": string;
        /**
         * @description The methods that exist here
         * @example GET, HEAD, OPTIONS
         */
        Allow: string;
        /**
         * @description The media types that a body may have here
         * @example application/json
         */
        Accept: string;
        /**
         * @description The codings that a body may have here
         * @example gzip, identity
         */
        "Accept-Encoding": string;
        /**
         * @description How to authenticate
         * @example Bearer realm="rocketgames-accounts"
         */
        "WWW-Authenticate": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Alive */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Measurements */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    whoami: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Whoami"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEnums: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Values by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Enums"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getProblem: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example comet-forge */
                slug: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The kind of problem */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProblemKind"];
                    "text/html": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1 */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenApiDocument"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putStudioByRef: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the state that the change is based on; needed once there is something to overwrite */
                "If-Match"?: string;
                /** @description * only creates */
                "If-None-Match"?: string;
            };
            path: {
                /** @example crm-1042 */
                externalRef: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StudioReplacement"];
            };
        };
        responses: {
            /** @description The studio */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Studio"];
                };
            };
            /** @description The studio */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Studio"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putGameByRef: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the state that the change is based on; needed once there is something to overwrite */
                "If-Match"?: string;
                /** @description * only creates */
                "If-None-Match"?: string;
            };
            path: {
                /** @example crm-1042 */
                ref: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GameReplacement"];
            };
        };
        responses: {
            /** @description The game */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Game"];
                };
            };
            /** @description The game */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Game"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    transferGame: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GameTransfer"];
            };
        };
        responses: {
            /** @description The game */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Game"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    lookUpPlayers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlayerLookup"];
            };
        };
        responses: {
            /** @description What was found */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlayerLookupAnswer"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    decideAccess: {
        parameters: {
            query: {
                /** @description An id, or slug: and the slug */
                gameId: string;
                /** @description Where the game is to be played */
                platform: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
            };
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The decision */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Access"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reportPlaytime: {
        parameters: {
            query?: never;
            header?: {
                /** @description gzip, when the body is compressed so */
                "Content-Encoding"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": string;
                "application/x-ndjson": string;
            };
        };
        responses: {
            /** @description What became of each item */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlaytimeAnswer"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getStudioStats: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sums */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StudioStats"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAuditEvents: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description One of seq, occurredAt; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of seq, occurredAt, actorType, actorId, requestId, action, entityType, entityId, studioId, reason, changes, separated by commas; seq always. A personal field needs its scope */
                fields?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Filter by entityType */
                entityType?: "studio" | "owner" | "membership" | "game" | "game_platform" | "player" | "player_game" | "api_key" | "snapshot";
                /** @description The row's own id, for a membership and a game platform the studio's or game's; only together with entityType */
                entityId?: string;
                /** @description The key, user or part of the service that acted */
                actorId?: string;
                /** @description Filter by actorType */
                actorType?: "api_key" | "user" | "system";
                /** @description As player.update */
                action?: string;
                /** @description As player.update: up to 100 values separated by commas */
                "action[in]"?: string;
                /** @description The studio concerned */
                studioId?: string;
                /** @description Filter by occurredAt; sorts by -occurredAt or occurredAt */
                "occurredAt[gt]"?: string;
                /** @description Filter by occurredAt; sorts by -occurredAt or occurredAt */
                "occurredAt[gte]"?: string;
                /** @description Filter by occurredAt; sorts by -occurredAt or occurredAt */
                "occurredAt[lt]"?: string;
                /** @description Filter by occurredAt; sorts by -occurredAt or occurredAt */
                "occurredAt[lte]"?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEventPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listStudios: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description Up to 3 of createdAt, updatedAt, name, slug, country, separated by commas; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of id, slug, name, legalName, country, website, status, statusChangedAt, externalRef, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 1, separated by commas: in an export members (as an import takes them; scope studios:read) */
                expand?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Text that name contains, in any letter case */
                q?: string;
                /** @description Filter by id */
                id?: string;
                /** @description Filter by id: up to 100 values separated by commas */
                "id[in]"?: string;
                /** @description Filter by status */
                status?: "prospect" | "in_review" | "active" | "suspended" | "rejected" | "closed";
                /** @description Filter by status */
                "status[ne]"?: "prospect" | "in_review" | "active" | "suspended" | "rejected" | "closed";
                /** @description Filter by status: up to 100 values separated by commas */
                "status[in]"?: string;
                /** @description Filter by country */
                country?: string;
                /** @description Filter by country */
                "country[ne]"?: string;
                /** @description Filter by country: up to 100 values separated by commas */
                "country[in]"?: string;
                /** @description Filter by country */
                "country[isNull]"?: boolean;
                /** @description Filter by slug */
                slug?: string;
                /** @description Filter by slug: up to 100 values separated by commas */
                "slug[in]"?: string;
                /** @description Filter by slug */
                "slug[prefix]"?: string;
                /** @description Filter by externalRef */
                externalRef?: string;
                /** @description Filter by externalRef: up to 100 values separated by commas */
                "externalRef[in]"?: string;
                /** @description Filter by externalRef */
                "externalRef[isNull]"?: boolean;
                /** @description Filter by createdAt */
                "createdAt[gt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[gte]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lte]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[gt]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[gte]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[lt]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[lte]"?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StudioPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createStudio: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewStudio"];
            };
        };
        responses: {
            /** @description The studio */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Studio"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getStudio: {
        parameters: {
            query?: {
                /** @description Only these of id, slug, name, legalName, country, website, status, statusChangedAt, externalRef, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
            };
            header?: {
                /** @description The ETag that you have: 304 when it is still the same */
                "If-None-Match"?: string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The studio */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Studio"] | components["schemas"]["StudioSelection"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateStudio: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["StudioPatch"];
                "application/json": components["schemas"]["StudioPatch"];
            };
        };
        responses: {
            /** @description The studio */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Studio"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listStudioTransitions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The steps */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StudioTransitions"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    makeStudioTransition: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StudioTransition"];
            };
        };
        responses: {
            /** @description The studio */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Studio"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listStudioMembers: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description Up to 3 of createdAt, joinedAt, role, separated by commas; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of studioId, ownerId, role, status, ownershipPercent, joinedAt, leftAt, version, createdAt, updatedAt, separated by commas; studioId and ownerId always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 2, separated by commas: owner (the owner, without personal fields unless the scope owners:read.personal is there; scope owners:read), studio (the studio; scope studios:read) */
                expand?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Filter by role */
                role?: "owner" | "admin" | "finance" | "developer" | "viewer";
                /** @description Filter by role */
                "role[ne]"?: "owner" | "admin" | "finance" | "developer" | "viewer";
                /** @description Filter by role: up to 100 values separated by commas */
                "role[in]"?: string;
                /** @description Filter by status */
                status?: "invited" | "active" | "left";
                /** @description Filter by status */
                "status[ne]"?: "invited" | "active" | "left";
                /** @description Filter by status: up to 100 values separated by commas */
                "status[in]"?: string;
            };
            header?: never;
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MembershipPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listOwnerStudios: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description Up to 3 of createdAt, joinedAt, role, separated by commas; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of studioId, ownerId, role, status, ownershipPercent, joinedAt, leftAt, version, createdAt, updatedAt, separated by commas; studioId and ownerId always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 2, separated by commas: owner (the owner, without personal fields unless the scope owners:read.personal is there; scope owners:read), studio (the studio; scope studios:read) */
                expand?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Filter by role */
                role?: "owner" | "admin" | "finance" | "developer" | "viewer";
                /** @description Filter by role */
                "role[ne]"?: "owner" | "admin" | "finance" | "developer" | "viewer";
                /** @description Filter by role: up to 100 values separated by commas */
                "role[in]"?: string;
                /** @description Filter by status */
                status?: "invited" | "active" | "left";
                /** @description Filter by status */
                "status[ne]"?: "invited" | "active" | "left";
                /** @description Filter by status: up to 100 values separated by commas */
                "status[in]"?: string;
            };
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MembershipPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getStudioMember: {
        parameters: {
            query?: {
                /** @description Only these of studioId, ownerId, role, status, ownershipPercent, joinedAt, leftAt, version, createdAt, updatedAt, separated by commas; studioId and ownerId always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 2, separated by commas: owner (the owner, without personal fields unless the scope owners:read.personal is there; scope owners:read), studio (the studio; scope studios:read) */
                expand?: string;
            };
            header?: {
                /** @description The ETag that you have: 304 when it is still the same */
                "If-None-Match"?: string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
                /** @example 0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                ownerId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The member */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MembershipWithParts"] | components["schemas"]["MembershipSelection"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putStudioMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the state that the change is based on; needed once there is something to overwrite */
                "If-Match"?: string;
                /** @description * only creates */
                "If-None-Match"?: string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
                /** @example 0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                ownerId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewMember"];
            };
        };
        responses: {
            /** @description The member */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Membership"];
                };
            };
            /** @description The member */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Membership"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeStudioMember: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
                /** @example 0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                ownerId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The member has left */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateStudioMember: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
                /** @example 0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                ownerId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["MemberPatch"];
                "application/json": components["schemas"]["MemberPatch"];
            };
        };
        responses: {
            /** @description The member */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Membership"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listOwners: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description Up to 3 of createdAt, updatedAt, fullName, country, separated by commas; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of id, fullName, email, emailVerifiedAt, country, authSubject, status, externalRef, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Text that fullName contains, in any letter case */
                q?: string;
                /** @description Filter by id */
                id?: string;
                /** @description Filter by id: up to 100 values separated by commas */
                "id[in]"?: string;
                /** @description Filter by status */
                status?: "active" | "disabled" | "erased";
                /** @description Filter by status */
                "status[ne]"?: "active" | "disabled" | "erased";
                /** @description Filter by status: up to 100 values separated by commas */
                "status[in]"?: string;
                /** @description Filter by country */
                country?: string;
                /** @description Filter by country */
                "country[ne]"?: string;
                /** @description Filter by country: up to 100 values separated by commas */
                "country[in]"?: string;
                /** @description Filter by country */
                "country[isNull]"?: boolean;
                /** @description Filter by emailVerifiedAt */
                "emailVerifiedAt[isNull]"?: boolean;
                /** @description Filter by createdAt */
                "createdAt[gt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[gte]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lte]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[gt]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[gte]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[lt]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[lte]"?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnerPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createOwner: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewOwner"];
            };
        };
        responses: {
            /** @description The owner */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Owner"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getOwner: {
        parameters: {
            query?: {
                /** @description Only these of id, fullName, email, emailVerifiedAt, country, authSubject, status, externalRef, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
            };
            header?: {
                /** @description The ETag that you have: 304 when it is still the same */
                "If-None-Match"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The owner */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Owner"] | components["schemas"]["OwnerSelection"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateOwner: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["OwnerPatch"];
                "application/json": components["schemas"]["OwnerPatch"];
            };
        };
        responses: {
            /** @description The owner */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Owner"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listOwnerTransitions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The steps */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnerTransitions"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    makeOwnerTransition: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OwnerTransition"];
            };
        };
        responses: {
            /** @description The owner */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Owner"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listGames: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description Up to 3 of createdAt, updatedAt, title, slug, releaseDate, separated by commas; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of id, studioId, slug, title, summary, genres, minAge, releaseDate, releasePrecision, status, statusChangedAt, externalRef, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 3, separated by commas: studio (the studio; scope studios:read), platforms (where it ships; scope games:read), in an export platforms (as an import takes them; scope games:read) */
                expand?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Text that title contains, in any letter case */
                q?: string;
                /** @description Filter by id */
                id?: string;
                /** @description Filter by id: up to 100 values separated by commas */
                "id[in]"?: string;
                /** @description Filter by studioId */
                studioId?: string;
                /** @description Filter by studioId: up to 100 values separated by commas */
                "studioId[in]"?: string;
                /** @description Filter by status */
                status?: "draft" | "submitted" | "in_review" | "changes_requested" | "approved" | "announced" | "early_access" | "released" | "delisted" | "retired" | "rejected" | "withdrawn" | "cancelled";
                /** @description Filter by status */
                "status[ne]"?: "draft" | "submitted" | "in_review" | "changes_requested" | "approved" | "announced" | "early_access" | "released" | "delisted" | "retired" | "rejected" | "withdrawn" | "cancelled";
                /** @description Filter by status: up to 100 values separated by commas */
                "status[in]"?: string;
                /** @description Games that ship on this platform (in: on one of these) */
                platform?: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
                /** @description Games that ship on this platform (in: on one of these): up to 100 values separated by commas */
                "platform[in]"?: string;
                /** @description Games of this genre (in: of one of these) */
                genre?: "action" | "adventure" | "rpg" | "strategy" | "simulation" | "puzzle" | "platformer" | "shooter" | "fighting" | "sports" | "racing" | "horror" | "survival" | "sandbox" | "roguelike" | "visual_novel" | "rhythm" | "card" | "party" | "idle" | "educational" | "other";
                /** @description Games of this genre (in: of one of these): up to 100 values separated by commas */
                "genre[in]"?: string;
                /** @description Filter by minAge */
                minAge?: number;
                /** @description Filter by minAge */
                "minAge[gt]"?: number;
                /** @description Filter by minAge */
                "minAge[gte]"?: number;
                /** @description Filter by minAge */
                "minAge[lt]"?: number;
                /** @description Filter by minAge */
                "minAge[lte]"?: number;
                /** @description Filter by minAge */
                "minAge[isNull]"?: boolean;
                /** @description Filter by releaseDate */
                releaseDate?: string;
                /** @description Filter by releaseDate */
                "releaseDate[gt]"?: string;
                /** @description Filter by releaseDate */
                "releaseDate[gte]"?: string;
                /** @description Filter by releaseDate */
                "releaseDate[lt]"?: string;
                /** @description Filter by releaseDate */
                "releaseDate[lte]"?: string;
                /** @description Filter by releaseDate */
                "releaseDate[isNull]"?: boolean;
                /** @description Filter by releasePrecision */
                releasePrecision?: "day" | "month" | "quarter" | "year" | "tba";
                /** @description Filter by releasePrecision */
                "releasePrecision[ne]"?: "day" | "month" | "quarter" | "year" | "tba";
                /** @description Filter by releasePrecision: up to 100 values separated by commas */
                "releasePrecision[in]"?: string;
                /** @description Filter by slug */
                slug?: string;
                /** @description Filter by slug: up to 100 values separated by commas */
                "slug[in]"?: string;
                /** @description Filter by slug */
                "slug[prefix]"?: string;
                /** @description Filter by externalRef */
                externalRef?: string;
                /** @description Filter by externalRef: up to 100 values separated by commas */
                "externalRef[in]"?: string;
                /** @description Filter by externalRef */
                "externalRef[isNull]"?: boolean;
                /** @description Filter by createdAt */
                "createdAt[gt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[gte]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lte]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[gt]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[gte]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[lt]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[lte]"?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GamePage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createGame: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewGame"];
            };
        };
        responses: {
            /** @description The game */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Game"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listStudioGames: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description Up to 3 of createdAt, updatedAt, title, slug, releaseDate, separated by commas; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of id, studioId, slug, title, summary, genres, minAge, releaseDate, releasePrecision, status, statusChangedAt, externalRef, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 3, separated by commas: studio (the studio; scope studios:read), platforms (where it ships; scope games:read), in an export platforms (as an import takes them; scope games:read) */
                expand?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Text that title contains, in any letter case */
                q?: string;
                /** @description Filter by id */
                id?: string;
                /** @description Filter by id: up to 100 values separated by commas */
                "id[in]"?: string;
                /** @description Filter by studioId */
                studioId?: string;
                /** @description Filter by studioId: up to 100 values separated by commas */
                "studioId[in]"?: string;
                /** @description Filter by status */
                status?: "draft" | "submitted" | "in_review" | "changes_requested" | "approved" | "announced" | "early_access" | "released" | "delisted" | "retired" | "rejected" | "withdrawn" | "cancelled";
                /** @description Filter by status */
                "status[ne]"?: "draft" | "submitted" | "in_review" | "changes_requested" | "approved" | "announced" | "early_access" | "released" | "delisted" | "retired" | "rejected" | "withdrawn" | "cancelled";
                /** @description Filter by status: up to 100 values separated by commas */
                "status[in]"?: string;
                /** @description Games that ship on this platform (in: on one of these) */
                platform?: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
                /** @description Games that ship on this platform (in: on one of these): up to 100 values separated by commas */
                "platform[in]"?: string;
                /** @description Games of this genre (in: of one of these) */
                genre?: "action" | "adventure" | "rpg" | "strategy" | "simulation" | "puzzle" | "platformer" | "shooter" | "fighting" | "sports" | "racing" | "horror" | "survival" | "sandbox" | "roguelike" | "visual_novel" | "rhythm" | "card" | "party" | "idle" | "educational" | "other";
                /** @description Games of this genre (in: of one of these): up to 100 values separated by commas */
                "genre[in]"?: string;
                /** @description Filter by minAge */
                minAge?: number;
                /** @description Filter by minAge */
                "minAge[gt]"?: number;
                /** @description Filter by minAge */
                "minAge[gte]"?: number;
                /** @description Filter by minAge */
                "minAge[lt]"?: number;
                /** @description Filter by minAge */
                "minAge[lte]"?: number;
                /** @description Filter by minAge */
                "minAge[isNull]"?: boolean;
                /** @description Filter by releaseDate */
                releaseDate?: string;
                /** @description Filter by releaseDate */
                "releaseDate[gt]"?: string;
                /** @description Filter by releaseDate */
                "releaseDate[gte]"?: string;
                /** @description Filter by releaseDate */
                "releaseDate[lt]"?: string;
                /** @description Filter by releaseDate */
                "releaseDate[lte]"?: string;
                /** @description Filter by releaseDate */
                "releaseDate[isNull]"?: boolean;
                /** @description Filter by releasePrecision */
                releasePrecision?: "day" | "month" | "quarter" | "year" | "tba";
                /** @description Filter by releasePrecision */
                "releasePrecision[ne]"?: "day" | "month" | "quarter" | "year" | "tba";
                /** @description Filter by releasePrecision: up to 100 values separated by commas */
                "releasePrecision[in]"?: string;
                /** @description Filter by slug */
                slug?: string;
                /** @description Filter by slug: up to 100 values separated by commas */
                "slug[in]"?: string;
                /** @description Filter by slug */
                "slug[prefix]"?: string;
                /** @description Filter by externalRef */
                externalRef?: string;
                /** @description Filter by externalRef: up to 100 values separated by commas */
                "externalRef[in]"?: string;
                /** @description Filter by externalRef */
                "externalRef[isNull]"?: boolean;
                /** @description Filter by createdAt */
                "createdAt[gt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[gte]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lte]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[gt]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[gte]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[lt]"?: string;
                /** @description Filter by updatedAt */
                "updatedAt[lte]"?: string;
            };
            header?: never;
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GamePage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getGame: {
        parameters: {
            query?: {
                /** @description Only these of id, studioId, slug, title, summary, genres, minAge, releaseDate, releasePrecision, status, statusChangedAt, externalRef, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 2, separated by commas: studio (the studio; scope studios:read), platforms (where it ships; scope games:read) */
                expand?: string;
            };
            header?: {
                /** @description The ETag that you have: 304 when it is still the same */
                "If-None-Match"?: string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The game */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GameWithParts"] | components["schemas"]["GameSelection"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateGame: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["GamePatch"];
                "application/json": components["schemas"]["GamePatch"];
            };
        };
        responses: {
            /** @description The game */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Game"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listGameTransitions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The steps */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GameTransitions"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    makeGameTransition: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GameTransition"];
            };
        };
        responses: {
            /** @description The game */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Game"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listGamePlatforms: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every platform of the game */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GamePlatforms"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getGamePlatform: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that you have: 304 when it is still the same */
                "If-None-Match"?: string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
                /** @example windows */
                platform: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The platform */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GamePlatform"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putGamePlatform: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the state that the change is based on; needed once there is something to overwrite */
                "If-Match"?: string;
                /** @description * only creates */
                "If-None-Match"?: string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
                /** @example windows */
                platform: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GamePlatformFacts"];
            };
        };
        responses: {
            /** @description The platform */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GamePlatform"];
                };
            };
            /** @description The platform */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GamePlatform"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteGamePlatform: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
            };
            path: {
                /** @example slug:comet-forge */
                id: string;
                /** @example windows */
                platform: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The game is not on this platform any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPlayers: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description One of createdAt; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of id, username, displayName, email, emailVerifiedAt, birthDate, country, locale, status, closedAt, erasedAt, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 2, separated by commas: identities (the accounts elsewhere that are linked now, the first 50; scope players:read), in an export identities (as an import takes them; scope players:read.personal) */
                expand?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Text that username or displayName contains, in any letter case */
                q?: string;
                /** @description Filter by id */
                id?: string;
                /** @description Filter by id: up to 100 values separated by commas */
                "id[in]"?: string;
                /** @description Filter by status */
                status?: "active" | "closed" | "erasure_pending" | "erased";
                /** @description Filter by status */
                "status[ne]"?: "active" | "closed" | "erasure_pending" | "erased";
                /** @description Filter by status: up to 100 values separated by commas */
                "status[in]"?: string;
                /** @description Players with a linked account at this provider (in: at one of these) */
                provider?: "steam" | "epic" | "psn" | "xbox" | "nintendo" | "apple" | "google" | "discord" | "studio";
                /** @description Players with a linked account at this provider (in: at one of these): up to 100 values separated by commas */
                "provider[in]"?: string;
                /** @description Players who own this game now: neither revoked nor expired */
                gameId?: string;
                /** @description Players who own a game of this studio now: neither revoked nor expired */
                studioId?: string;
                /** @description Filter by country */
                country?: string;
                /** @description Filter by country */
                "country[ne]"?: string;
                /** @description Filter by country: up to 100 values separated by commas */
                "country[in]"?: string;
                /** @description Filter by country */
                "country[isNull]"?: boolean;
                /** @description Players with an address, or without */
                hasEmail?: boolean;
                /** @description Filter by createdAt */
                "createdAt[gt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[gte]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lte]"?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlayerPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createPlayer: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPlayer"];
            };
        };
        responses: {
            /** @description The player */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Player"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listStudioPlayers: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description One of createdAt; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of id, username, displayName, email, emailVerifiedAt, birthDate, country, locale, status, closedAt, erasedAt, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 2, separated by commas: identities (the accounts elsewhere that are linked now, the first 50; scope players:read), in an export identities (as an import takes them; scope players:read.personal) */
                expand?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Text that username or displayName contains, in any letter case */
                q?: string;
                /** @description Filter by id */
                id?: string;
                /** @description Filter by id: up to 100 values separated by commas */
                "id[in]"?: string;
                /** @description Filter by status */
                status?: "active" | "closed" | "erasure_pending" | "erased";
                /** @description Filter by status */
                "status[ne]"?: "active" | "closed" | "erasure_pending" | "erased";
                /** @description Filter by status: up to 100 values separated by commas */
                "status[in]"?: string;
                /** @description Players with a linked account at this provider (in: at one of these) */
                provider?: "steam" | "epic" | "psn" | "xbox" | "nintendo" | "apple" | "google" | "discord" | "studio";
                /** @description Players with a linked account at this provider (in: at one of these): up to 100 values separated by commas */
                "provider[in]"?: string;
                /** @description Players who own this game now: neither revoked nor expired */
                gameId?: string;
                /** @description Players who own a game of this studio now: neither revoked nor expired */
                studioId?: string;
                /** @description Filter by country */
                country?: string;
                /** @description Filter by country */
                "country[ne]"?: string;
                /** @description Filter by country: up to 100 values separated by commas */
                "country[in]"?: string;
                /** @description Filter by country */
                "country[isNull]"?: boolean;
                /** @description Players with an address, or without */
                hasEmail?: boolean;
                /** @description Filter by createdAt */
                "createdAt[gt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[gte]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lte]"?: string;
            };
            header?: never;
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlayerPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPlayer: {
        parameters: {
            query?: {
                /** @description Only these of id, username, displayName, email, emailVerifiedAt, birthDate, country, locale, status, closedAt, erasedAt, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 1, separated by commas: identities (the accounts elsewhere that are linked now, the first 50; scope players:read) */
                expand?: string;
            };
            header?: {
                /** @description The ETag that you have: 304 when it is still the same */
                "If-None-Match"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The player */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlayerWithParts"] | components["schemas"]["PlayerSelection"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updatePlayer: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["PlayerPatch"];
                "application/json": components["schemas"]["PlayerPatch"];
            };
        };
        responses: {
            /** @description The player */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Player"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPlayerTransitions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The steps */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlayerTransitions"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    makePlayerTransition: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlayerTransition"];
            };
        };
        responses: {
            /** @description The player */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Player"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPlayerIdentities: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description Up to 3 of linkedAt, unlinkedAt, separated by commas; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of id, playerId, provider, namespace, subject, providerName, verifiedAt, linkedAt, unlinkedAt, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Filter by provider */
                provider?: "steam" | "epic" | "psn" | "xbox" | "nintendo" | "apple" | "google" | "discord" | "studio";
                /** @description Filter by provider */
                "provider[ne]"?: "steam" | "epic" | "psn" | "xbox" | "nintendo" | "apple" | "google" | "discord" | "studio";
                /** @description Filter by provider: up to 100 values separated by commas */
                "provider[in]"?: string;
                /** @description true: linked now; false: unlinked */
                "unlinkedAt[isNull]"?: boolean;
            };
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IdentityPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    linkPlayerIdentity: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewIdentity"];
            };
        };
        responses: {
            /** @description The identity */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPlayerIdentity: {
        parameters: {
            query?: {
                /** @description Only these of id, playerId, provider, namespace, subject, providerName, verifiedAt, linkedAt, unlinkedAt, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
            };
            header?: {
                /** @description The ETag that you have: 304 when it is still the same */
                "If-None-Match"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
                /** @example 0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                identityId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The identity */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"] | components["schemas"]["IdentitySelection"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    unlinkPlayerIdentity: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
                /** @example 0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                identityId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account is not linked any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listLibrary: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description Up to 3 of acquiredAt, lastPlayedAt, playtimeSeconds, expiresAt, separated by commas; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of id, playerId, gameId, platform, source, sourceRef, acquiredAt, expiresAt, revokedAt, revokeReason, playtimeSeconds, firstPlayedAt, lastPlayedAt, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 2, separated by commas: game (the game; scope games:read), player (the player, without personal fields unless the scope players:read.personal is there; scope players:read) */
                expand?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Filter by gameId */
                gameId?: string;
                /** @description Filter by gameId: up to 100 values separated by commas */
                "gameId[in]"?: string;
                /** @description Games of this studio */
                studioId?: string;
                /** @description Filter by platform */
                platform?: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
                /** @description Filter by platform: up to 100 values separated by commas */
                "platform[in]"?: string;
                /** @description Filter by source */
                source?: "purchase" | "key" | "gift" | "bundle" | "subscription" | "free" | "promotion" | "beta" | "press" | "staff" | "import";
                /** @description Filter by source */
                "source[ne]"?: "purchase" | "key" | "gift" | "bundle" | "subscription" | "free" | "promotion" | "beta" | "press" | "staff" | "import";
                /** @description Filter by source: up to 100 values separated by commas */
                "source[in]"?: string;
                /** @description true: neither revoked nor expired now */
                active?: boolean;
                /** @description Filter by revokedAt */
                "revokedAt[gt]"?: string;
                /** @description Filter by revokedAt */
                "revokedAt[gte]"?: string;
                /** @description Filter by revokedAt */
                "revokedAt[lt]"?: string;
                /** @description Filter by revokedAt */
                "revokedAt[lte]"?: string;
                /** @description Filter by revokedAt */
                "revokedAt[isNull]"?: boolean;
                /** @description Filter by revokeReason */
                revokeReason?: "refund" | "chargeback" | "fraud" | "mistake" | "expired_grant" | "other";
                /** @description Filter by revokeReason: up to 100 values separated by commas */
                "revokeReason[in]"?: string;
                /** @description Filter by expiresAt */
                "expiresAt[gt]"?: string;
                /** @description Filter by expiresAt */
                "expiresAt[gte]"?: string;
                /** @description Filter by expiresAt */
                "expiresAt[lt]"?: string;
                /** @description Filter by expiresAt */
                "expiresAt[lte]"?: string;
                /** @description Filter by expiresAt */
                "expiresAt[isNull]"?: boolean;
                /** @description Filter by acquiredAt */
                "acquiredAt[gt]"?: string;
                /** @description Filter by acquiredAt */
                "acquiredAt[gte]"?: string;
                /** @description Filter by acquiredAt */
                "acquiredAt[lt]"?: string;
                /** @description Filter by acquiredAt */
                "acquiredAt[lte]"?: string;
                /** @description Filter by lastPlayedAt */
                "lastPlayedAt[gt]"?: string;
                /** @description Filter by lastPlayedAt */
                "lastPlayedAt[gte]"?: string;
                /** @description Filter by lastPlayedAt */
                "lastPlayedAt[lt]"?: string;
                /** @description Filter by lastPlayedAt */
                "lastPlayedAt[lte]"?: string;
                /** @description Filter by lastPlayedAt */
                "lastPlayedAt[isNull]"?: boolean;
            };
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntitlementPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listGamePlayers: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description One of acquiredAt, lastPlayedAt; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of id, playerId, gameId, platform, source, sourceRef, acquiredAt, expiresAt, revokedAt, revokeReason, playtimeSeconds, firstPlayedAt, lastPlayedAt, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 2, separated by commas: game (the game; scope games:read), player (the player, without personal fields unless the scope players:read.personal is there; scope players:read) */
                expand?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Filter by platform */
                platform?: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
                /** @description Filter by platform: up to 100 values separated by commas */
                "platform[in]"?: string;
                /** @description Filter by source */
                source?: "purchase" | "key" | "gift" | "bundle" | "subscription" | "free" | "promotion" | "beta" | "press" | "staff" | "import";
                /** @description Filter by source */
                "source[ne]"?: "purchase" | "key" | "gift" | "bundle" | "subscription" | "free" | "promotion" | "beta" | "press" | "staff" | "import";
                /** @description Filter by source: up to 100 values separated by commas */
                "source[in]"?: string;
                /** @description true: neither revoked nor expired now */
                active?: boolean;
                /** @description Filter by acquiredAt; sorts by -acquiredAt or acquiredAt */
                "acquiredAt[gt]"?: string;
                /** @description Filter by acquiredAt; sorts by -acquiredAt or acquiredAt */
                "acquiredAt[gte]"?: string;
                /** @description Filter by acquiredAt; sorts by -acquiredAt or acquiredAt */
                "acquiredAt[lt]"?: string;
                /** @description Filter by acquiredAt; sorts by -acquiredAt or acquiredAt */
                "acquiredAt[lte]"?: string;
            };
            header?: never;
            path: {
                /** @example slug:comet-forge */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntitlementPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getEntitlement: {
        parameters: {
            query?: {
                /** @description Only these of id, playerId, gameId, platform, source, sourceRef, acquiredAt, expiresAt, revokedAt, revokeReason, playtimeSeconds, firstPlayedAt, lastPlayedAt, version, createdAt, updatedAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Embeds up to 2, separated by commas: game (the game; scope games:read), player (the player, without personal fields unless the scope players:read.personal is there; scope players:read) */
                expand?: string;
            };
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
                /** @example slug:comet-forge */
                gameId: string;
                /** @example windows */
                platform: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The line of the library */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntitlementWithParts"] | components["schemas"]["EntitlementSelection"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    grantEntitlement: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the state that the change is based on; needed once there is something to overwrite */
                "If-Match"?: string;
                /** @description * only creates */
                "If-None-Match"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
                /** @example slug:comet-forge */
                gameId: string;
                /** @example windows */
                platform: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Grant"];
            };
        };
        responses: {
            /** @description The line of the library */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Entitlement"];
                };
            };
            /** @description The line of the library */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Entitlement"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateEntitlement: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
                /** @example slug:comet-forge */
                gameId: string;
                /** @example windows */
                platform: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["EntitlementPatch"];
                "application/json": components["schemas"]["EntitlementPatch"];
            };
        };
        responses: {
            /** @description The line of the library */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Entitlement"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revokeEntitlement: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The ETag of the state that the change is based on; * overwrites on purpose
                 * @example "7"
                 */
                "If-Match": string;
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
                /** @example slug:comet-forge */
                gameId: string;
                /** @example windows */
                platform: "windows" | "macos" | "linux" | "ps4" | "ps5" | "xbox_one" | "xbox_series" | "switch" | "switch_2" | "ios" | "android" | "web";
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Revocation"];
            };
        };
        responses: {
            /** @description The line of the library */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Entitlement"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    importOwners: {
        parameters: {
            query?: {
                /** @description What lines may do; default upsert */
                mode?: "create" | "update" | "upsert";
                /** @description abort stops at the first error, and lines before it stay; default continue */
                onError?: "continue" | "abort";
                /** @description true: all or nothing, at most 1000 lines; default false */
                atomic?: "true" | "false";
                /** @description true: the same verdicts, and nothing is written; default false */
                dryRun?: "true" | "false";
                /** @description The key by which a line finds its record; default: the first of these that it carries */
                matchBy?: "externalRef" | "email" | "id";
            };
            header?: {
                /** @description respond-async: 202 and a job as soon as the body is here (RFC 7240) */
                Prefer?: string;
                /** @description gzip, when the body is compressed so */
                "Content-Encoding"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-ndjson": string;
                "text/csv": string;
                "application/json": string;
            };
        };
        responses: {
            /** @description One line for each line */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description After Prefer: respond-async, the job */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    importStudios: {
        parameters: {
            query?: {
                /** @description What lines may do; default upsert */
                mode?: "create" | "update" | "upsert";
                /** @description abort stops at the first error, and lines before it stay; default continue */
                onError?: "continue" | "abort";
                /** @description true: all or nothing, at most 1000 lines; default false */
                atomic?: "true" | "false";
                /** @description true: the same verdicts, and nothing is written; default false */
                dryRun?: "true" | "false";
                /** @description The key by which a line finds its record; default: the first of these that it carries */
                matchBy?: "externalRef" | "slug" | "id";
            };
            header?: {
                /** @description respond-async: 202 and a job as soon as the body is here (RFC 7240) */
                Prefer?: string;
                /** @description gzip, when the body is compressed so */
                "Content-Encoding"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-ndjson": string;
                "text/csv": string;
                "application/json": string;
            };
        };
        responses: {
            /** @description One line for each line */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description After Prefer: respond-async, the job */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    importGames: {
        parameters: {
            query?: {
                /** @description What lines may do; default upsert */
                mode?: "create" | "update" | "upsert";
                /** @description abort stops at the first error, and lines before it stay; default continue */
                onError?: "continue" | "abort";
                /** @description true: all or nothing, at most 1000 lines; default false */
                atomic?: "true" | "false";
                /** @description true: the same verdicts, and nothing is written; default false */
                dryRun?: "true" | "false";
                /** @description The key by which a line finds its record; default: the first of these that it carries */
                matchBy?: "externalRef" | "slug" | "id" | "storeApp";
            };
            header?: {
                /** @description respond-async: 202 and a job as soon as the body is here (RFC 7240) */
                Prefer?: string;
                /** @description gzip, when the body is compressed so */
                "Content-Encoding"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-ndjson": string;
                "text/csv": string;
                "application/json": string;
            };
        };
        responses: {
            /** @description One line for each line */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description After Prefer: respond-async, the job */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    importPlayers: {
        parameters: {
            query?: {
                /** @description What lines may do; default upsert */
                mode?: "create" | "update" | "upsert";
                /** @description abort stops at the first error, and lines before it stay; default continue */
                onError?: "continue" | "abort";
                /** @description true: all or nothing, at most 1000 lines; default false */
                atomic?: "true" | "false";
                /** @description true: the same verdicts, and nothing is written; default false */
                dryRun?: "true" | "false";
                /** @description The key by which a line finds its record; default: the first of these that it carries */
                matchBy?: "identity" | "username" | "email" | "id";
            };
            header?: {
                /** @description respond-async: 202 and a job as soon as the body is here (RFC 7240) */
                Prefer?: string;
                /** @description gzip, when the body is compressed so */
                "Content-Encoding"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-ndjson": string;
                "text/csv": string;
                "application/json": string;
            };
        };
        responses: {
            /** @description One line for each line */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description After Prefer: respond-async, the job */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    importLibrary: {
        parameters: {
            query?: {
                /** @description What lines may do; default upsert */
                mode?: "create" | "update" | "upsert";
                /** @description abort stops at the first error, and lines before it stay; default continue */
                onError?: "continue" | "abort";
                /** @description true: all or nothing, at most 1000 lines; default false */
                atomic?: "true" | "false";
                /** @description true: the same verdicts, and nothing is written; default false */
                dryRun?: "true" | "false";
            };
            header?: {
                /** @description respond-async: 202 and a job as soon as the body is here (RFC 7240) */
                Prefer?: string;
                /** @description gzip, when the body is compressed so */
                "Content-Encoding"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-ndjson": string;
                "text/csv": string;
                "application/json": string;
            };
        };
        responses: {
            /** @description One line for each line */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description After Prefer: respond-async, the job */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createExport: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewExport"];
            };
        };
        responses: {
            /** @description The job */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listJobs: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description Up to 3 of createdAt, separated by commas; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of id, kind, resource, state, callerType, callerId, requestId, progressDone, progressTotal, errorLines, summary, problem, createdAt, startedAt, cancelRequestedAt, finishedAt, expiresAt, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Filter by kind */
                kind?: "import" | "export";
                /** @description Filter by state */
                state?: "queued" | "running" | "succeeded" | "succeeded_with_errors" | "failed" | "cancelled";
                /** @description Filter by state */
                "state[ne]"?: "queued" | "running" | "succeeded" | "succeeded_with_errors" | "failed" | "cancelled";
                /** @description Filter by state: up to 100 values separated by commas */
                "state[in]"?: string;
                /** @description Filter by resource */
                resource?: string;
                /** @description Filter by createdAt */
                "createdAt[gt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[gte]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lte]"?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listJobErrors: {
        parameters: {
            query?: {
                /** @description Lines a page */
                limit?: number;
                /** @description page.next of an earlier answer */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobErrorPage"];
                    "application/x-ndjson": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getJobResult: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportManifest"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                    "application/gzip": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getJobResultPart: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
                /** @example 1 */
                part: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportManifest"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                    "application/gzip": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listApiKeys: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next or page.prev of an earlier answer to the same filter and sort */
                cursor?: string;
                /** @description Up to 3 of createdAt, separated by commas; a leading - sorts downwards; NULL comes last */
                sort?: string;
                /** @description Only these of id, name, scopes, createdBy, createdAt, expiresAt, lastUsedAt, revokedAt, replacedBy, separated by commas; id always. A personal field needs its scope */
                fields?: string;
                /** @description Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row */
                count?: "estimated" | "exact";
                /** @description Filter by createdAt */
                "createdAt[gt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[gte]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lt]"?: string;
                /** @description Filter by createdAt */
                "createdAt[lte]"?: string;
                /** @description Filter by expiresAt */
                "expiresAt[gt]"?: string;
                /** @description Filter by expiresAt */
                "expiresAt[gte]"?: string;
                /** @description Filter by expiresAt */
                "expiresAt[lt]"?: string;
                /** @description Filter by expiresAt */
                "expiresAt[lte]"?: string;
                /** @description isNull=true: never used */
                "lastUsedAt[gt]"?: string;
                /** @description isNull=true: never used */
                "lastUsedAt[gte]"?: string;
                /** @description isNull=true: never used */
                "lastUsedAt[lt]"?: string;
                /** @description isNull=true: never used */
                "lastUsedAt[lte]"?: string;
                /** @description isNull=true: never used */
                "lastUsedAt[isNull]"?: boolean;
                /** @description true: not revoked */
                "revokedAt[isNull]"?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page; as NDJSON or CSV the whole list with an end line (scope exports:read) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeyPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewApiKey"];
            };
        };
        responses: {
            /** @description The key with its secret */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedApiKey"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example k3v9x0m2q7ab */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKey"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revokeApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example k3v9x0m2q7ab */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key is revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rotateApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example k3v9x0m2q7ab */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new key with its secret */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RotatedApiKey"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listLakeTables: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All tables */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LakeTables"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getLakeTable: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example Comet Forge */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The table */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LakeTable"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSnapshots: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next of the page before */
                cursor?: string;
                /** @description Only snapshots in this state */
                state?: "requested" | "planning" | "uploading" | "prepared" | "committing" | "committed" | "published" | "retiring" | "retired" | "failed";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapshotPage"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    requestSnapshot: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It will be taken */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Snapshot"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSnapshot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The snapshot */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapshotWithManifest"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verifySnapshot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was found */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerifyResult"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listHolds: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HoldPage"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    holdSnapshot: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewHold"];
            };
        };
        responses: {
            /** @description The hold */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hold"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releaseSnapshot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
                /** @example 0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                holdId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listQueries: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Saved queries and a page of runs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueryList"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startQuery: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewQuery"];
            };
        };
        responses: {
            /** @description It runs */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueryRun"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getQuery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The run */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueryRun"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelQuery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is stopped */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getQueryResults: {
        parameters: {
            query?: {
                /** @description Rows a page */
                limit?: number;
                /** @description page.next of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @example 01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Rows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueryResult"];
                    "text/csv": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}


/** The operations that an Idempotency-Key makes safe to repeat. */

export const operationsWithKey: ReadonlySet<string> = new Set([
  'post /v1/games/{id}/transfer',
  'post /v1/studios',
  'patch /v1/studios/{id}',
  'post /v1/studios/{id}/transitions',
  'patch /v1/studios/{id}/members/{ownerId}',
  'post /v1/owners',
  'patch /v1/owners/{id}',
  'post /v1/owners/{id}/transitions',
  'post /v1/games',
  'patch /v1/games/{id}',
  'post /v1/games/{id}/transitions',
  'post /v1/players',
  'patch /v1/players/{id}',
  'post /v1/players/{id}/transitions',
  'post /v1/players/{id}/identities',
  'patch /v1/players/{id}/library/{gameId}/{platform}',
  'post /v1/players/{id}/library/{gameId}/{platform}/revocation',
  'post /v1/exports',
  'post /v1/jobs/{id}/cancel',
  'post /v1/lake/snapshots',
  'post /v1/lake/snapshots/{id}/holds',
  'post /v1/lake/queries',
])
