/* sample.c -- full stacks for a fair sample of the blocks, and the doorbell.
 *
 * Bytes are sampled by a Poisson process of one point in every sample_bytes, so a block of s bytes is
 * taken with probability p = 1 - exp(-s / sample_bytes) and stands for 1 / p blocks: sums over samples
 * estimate the whole without bias (Horvitz and Thompson 1952). Blocks from MS_BIG_BLOCK up are always
 * taken, p = 1. docs/SAMPLING.md has the derivation and the error bar.
 *
 * The distance to the next point is exponential, hence without memory: drawing it anew at any moment
 * that the allocations did not choose changes nothing. So the monitor may set the countdown far below
 * zero: the doorbell. The next allocation comes by here, does what waits, and draws again.
 *
 * A sampled block carries MS_TAG_WATCH, and its node is found again when it dies. */
#include "record/moment.h"
#include "record/recorder.h"

#include <math.h>
#include <sys/random.h>

static double   mean;
static uint64_t state;
static ms_map   sampled; /* block -> node */

static double stands_for(uint64_t bytes);

static double uniform(void) /* in (0, 1]; splitmix64 (Steele, Lea, Flood 2014) */
{
    uint64_t z = (state += 0x9E3779B97F4A7C15ull);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return ((double)((z ^ z >> 31) >> 11) + 1) / 9007199254740992.0;
}

static void draw(void)
{
    double next = mean > 0 ? -log(uniform()) * mean : 4e18;
    ms_area.sample_left = next < 1 ? 1 : next > 4e18 ? (int64_t)4e18 : (int64_t)next;
}

static void seed_from(uint64_t seed)
{
    if (seed == 0 && getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
        seed = ms_now_ns();
    state = seed;
}

void ms_sample_init(uint64_t sample_bytes, uint64_t seed)
{
    ms_map_free(&sampled); /* of an earlier recording */
    mean = (double)sample_bytes;
    seed_from(seed);
    draw();
}

void ms_sample_forked(void)
{
    state ^= (uint64_t)ms_area.pid * 0x9E3779B97F4A7C15ull; /* the child draws its own */
    draw();
}

static double stands_for(uint64_t bytes)
{
    return bytes >= MS_BIG_BLOCK ? 1 : 1 / -expm1(-(double)bytes / mean);
}

static void node_touch(ms_node *n)
{
    if (n->gen != ms_area.gen) {
        n->peak_bytes = n->live_bytes;
        n->gen = ms_area.gen;
    }
}

/* The child of a node for one more call, recursion folded, so that the tree stays as small as the
 * program's text: a path that would end in the same run of calls twice keeps one of them, and a site
 * stands at most REPEATS times on a path. A helper met again through other callers (an import inside
 * an import, a decorator, an event loop) is not recursion by this rule, and keeps its callers. */
uint32_t ms_node_below(uint32_t parent, uint32_t site)
{
    enum { PERIOD = 16, REPEATS = 8, LOOK = 256 };
    uint32_t path[2 * PERIOD] = {0}, sites[2 * PERIOD] = {site}, n = 1, seen = 0, nearest = 0;
    uint32_t up = parent;
    for (uint32_t i = 1; up && i < LOOK; i++, up = ms_area.node[up].parent) {
        uint32_t s = ms_area.node[up].site;
        if (i < 2 * PERIOD) {
            path[i] = up;
            sites[i] = s;
            n = i + 1;
        }
        if (s == site) {
            seen++;
            if (nearest == 0)
                nearest = up;
        }
    }
    for (uint32_t period = 1; seen && 2 * period <= n; period++)
        if (__builtin_memcmp(sites, sites + period, period * sizeof *sites) == 0)
            return path[period];
    return seen >= REPEATS ? nearest : ms_node_intern(parent, site);
}

uint32_t ms_stack_node(PyThreadState *ts)
{
    enum { FEW = 256 };
    ms_frame *few[FEW], **frames = few;
    size_t depth = 0, room = FEW;
    for (ms_frame *f = ms_frame_python(ms_frame_top(ts)); f; f = ms_frame_python(f->previous)) {
        if (depth == room) {
            ms_frame **more = frames == few ? ms_sys_alloc(2 * room * sizeof *frames)
                                            : ms_sys_resize(frames, room * sizeof *frames, 2 * room * sizeof *frames);
            if (more == NULL)
                break; /* the outermost frames are left out */
            if (frames == few)
                __builtin_memcpy(more, few, sizeof few);
            frames = more;
            room *= 2;
        }
        frames[depth++] = f;
    }
    uint32_t node = 0;
    while (depth-- > 0)
        node = ms_node_below(node, ms_who_site(frames[depth], ms_frame_instruction(frames[depth])));
    if (frames != few)
        ms_sys_free(frames, room * sizeof *frames);
    return node;
}

/* How often a thread was asked for its name, and the epoch of the last time. */
static struct {
    uint32_t asked, epoch;
} naming[MS_THREAD_MAX];

/* threading may not know a thread yet, or never: asked for at its first samples, then each 0.1 s. */
static void name_wanted(uint32_t thread)
{
    if (naming[thread].asked++ >= 16 && ms_area.epoch - naming[thread].epoch < 10)
        return;
    naming[thread].epoch = ms_area.epoch;
    ms_python_name_threads();
}

static uint32_t thread_of(PyThreadState *ts)
{
    uint64_t id = ts->native_thread_id;
    uint32_t used = ms_area.table[MS_T_THREAD].used;
    for (uint32_t i = used; i-- > 0;)
        if (ms_area.thread[i].id == id)
            return i;
    if (used >= MS_THREAD_MAX)
        return MS_THREAD_MAX - 1; /* the last stands for all further ones */
    ms_area.thread[used] = (ms_thread){.id = id};
    naming[used].asked = 0;
    __atomic_store_n(&ms_area.table[MS_T_THREAD].used, used + 1, __ATOMIC_RELEASE);
    return used;
}

static void doorbell(void)
{
    ms_recorder_purge();
    if (ms_area.want_memory != ms_area.got_memory) {
        uint32_t want = ms_area.want_memory;
        ms_recorder_grow();
        ms_memory_read(&ms_area.memory_now);
        __atomic_store_n(&ms_area.got_memory, want, __ATOMIC_RELEASE);
    }
}

MS_COLD void ms_sample(void *block, uint64_t *tag, uint64_t bytes)
{
    uint64_t t;
    ms_cold_begin(&t);
    bool rung = ms_area.sample_left < MS_DOORBELL / 2, due = ms_area.sample_left < 0;
    if (rung) /* it rang at a time that is no block's doing: this one is as likely to be taken as any */
        due = uniform() * stands_for(bytes ? bytes : 1) <= 1;
    if (ms_area.sample_left < 0)
        draw();
    if (rung || ms_area.purge_due)
        doorbell();
    ms_moment_look(t);
    PyThreadState *ts = ms_thread_state_asked();
    if (ts && (due || bytes >= MS_BIG_BLOCK) && bytes) {
        uint32_t node = ms_mode == MS_MODE_EXACT ? 0 : ms_stack_node(ts);
        double weight = stands_for(bytes), sum = weight * (double)bytes;
        uint32_t of = thread_of(ts);
        ms_thread *thread = &ms_area.thread[of];
        if (thread->name[0] == 0)
            name_wanted(of);
        thread->samples++;
        thread->bytes += sum;
        ms_map_slot *s = node ? ms_map_put(&sampled, (uint64_t)(uintptr_t)block) : NULL;
        if (s) {
            ms_node *n = &ms_area.node[node];
            node_touch(n);
            n->samples++;
            n->blocks += weight;
            n->bytes += sum;
            n->variance += sum * sum * (1 - 1 / weight); /* (1 - p) (s / p)^2 */
            n->live_blocks += weight;
            n->live_bytes += sum;
            s->value = node;
            *tag |= MS_TAG_WATCH;
        }
    }
    ms_cold_end(t);
}

void ms_sample_died(void *block, uint64_t bytes)
{
    ms_map_slot *s = ms_map_find(&sampled, (uint64_t)(uintptr_t)block);
    if (s == NULL)
        return;
    ms_node *n = &ms_area.node[s->value];
    double weight = stands_for(bytes);
    ms_peak_look();
    node_touch(n);
    n->live_blocks -= weight;
    n->live_bytes -= weight * (double)bytes;
    ms_map_remove(&sampled, s);
}
