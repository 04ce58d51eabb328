/* SPDX-License-Identifier: MIT */
/* The cache of pages (files/cache.h): a table with four places for each hash, and a smaller one of keys asked for. */
#include "files/cache.h"

#include <stddef.h>

#include "os2/call.h"

#define WAYS 4u
#define SETS (CACHE_PAGES / WAYS)
#define ASKED 2048u

struct place {
    struct cache_key key;
    void *page; /* null: the place is free */
    uint64_t used;
};

static struct place places[SETS][WAYS];
static uint64_t asked[ASKED]; /* hashes of keys that were not here */
static uint64_t cache_clock;
static unsigned page_count;

static uint64_t key_hash(const struct cache_key *key) {
    uint64_t hash = (uintptr_t)key->volume ^ key->file * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= key->page * UINT64_C(0xc2b2ae3d27d4eb4f);
    hash ^= hash >> 29;
    hash *= UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 32;
}

static bool key_same(const struct cache_key *a, const struct cache_key *b) {
    return a->volume == b->volume && a->file == b->file && a->page == b->page;
}

static void place_free(struct place *place) {
    os2_block_free(place->page);
    place->page = NULL;
    page_count--;
}

const void *cache_find(const struct cache_key *key, bool *ret_again) {
    uint64_t hash = key_hash(key);
    struct place *set = places[hash % SETS];

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].page && key_same(&set[i].key, key)) {
            set[i].used = ++cache_clock;
            return set[i].page;
        }
    }
    *ret_again = asked[hash % ASKED] == hash;
    asked[hash % ASKED] = hash;
    return NULL;
}

void cache_put(const struct cache_key *key, void *page) {
    struct place *set = places[key_hash(key) % SETS], *place = set;

    for (unsigned i = 0; i < WAYS && place->page; i++)
        if (!set[i].page || set[i].used < place->used)
            place = &set[i];
    if (place->page)
        place_free(place);
    *place = (struct place){.key = *key, .page = page, .used = ++cache_clock};
    page_count++;
}

static bool key_between(const struct cache_key *at, const struct cache_key *first, uint64_t last) {
    return at->volume == first->volume && at->file == first->file && at->page >= first->page && at->page <= last;
}

void cache_drop(const struct cache_key *key, uint64_t last) {
    for (unsigned i = 0; page_count && i < SETS; i++)
        for (unsigned way = 0; way < WAYS; way++)
            if (places[i][way].page && key_between(&places[i][way].key, key, last))
                place_free(&places[i][way]);
}

bool cache_give_way(void) {
    unsigned left = (page_count + 1) / 2;

    if (!page_count)
        return false;
    for (unsigned i = 0; left && i < SETS; i++) {
        for (unsigned way = 0; left && way < WAYS; way++) {
            if (places[i][way].page) {
                place_free(&places[i][way]);
                left--;
            }
        }
    }
    return true;
}

unsigned cache_pages(void) {
    return page_count;
}
