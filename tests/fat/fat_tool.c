/* SPDX-License-Identifier: MIT */
/*
 * Does on an image file what a script says, through usr/fat/, as the file service does: one node for each open file,
 * files' bytes written where fat_map() says.
 *
 *   fat_tool IMAGE [RECORD]           commands come from the standard input, one a line, their words parted by tabs.
 *                                     RECORD gets what is written and flushed.
 *   fat_tool --cuts IMAGE RECORD      each line is an output file and the numbers of the writes that reached the disk;
 *                                     what a mount makes of that is written there, and its tree is printed. A third
 *                                     word is a file of paths and sizes: so much of these files is printed too. With
 *                                     a number as the fourth the first mount ends at that write, and is done again.
 *
 * The answer to a command is one line, its status; "tree" prints lines before it. A name in the image is absolute.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fat/fat.h"
#include "os2/abi.h"

enum { CACHE_MAX = 512, OPEN_MAX = 64, BASE_BYTES = 65536, WORDS_MAX = 6 };

#define MARK_FLUSH UINT64_MAX
#define MARK_DONE (UINT64_MAX - 1) /* a command is done: `count` says how many are */

/* An image: a file, or memory. */
struct disk {
    int file;
    uint8_t *memory;
    FILE *record;
    uint64_t reads, read_sectors, writes, write_sectors, flushes;
    uint64_t fail_after; /* so many writes, then one fails; UINT64_MAX: none */
    bool failed;
};

static struct disk disk = {.file = -1, .fail_after = UINT64_MAX};
static struct fat_device device;
static struct fat fat;
static struct fat_cache_sector cache[CACHE_MAX];
static uint8_t cache_bytes[CACHE_MAX][FAT_SECTOR];
static unsigned cache_size = 64;
static struct fat_node nodes[OPEN_MAX];
static bool node_open[OPEN_MAX];
static unsigned node_next;
static uint8_t base[2 * BASE_BYTES];

static void die(const char *what) {
    fprintf(stderr, "fat_tool: %s\n", what);
    exit(2);
}

static int disk_read(void *context, uint64_t sector, unsigned count, void *bytes) {
    struct disk *d = context;

    if (count == 0 || sector >= device.sectors || count > device.sectors - sector)
        die("a read beyond the disk");
    d->reads++;
    d->read_sectors += count;
    if (d->memory != NULL)
        memcpy(bytes, d->memory + sector * FAT_SECTOR, (size_t)count * FAT_SECTOR);
    else if (pread(d->file, bytes, (size_t)count * FAT_SECTOR, (off_t)(sector * FAT_SECTOR)) < 0)
        return OS2_FILE_E_DEVICE;
    return 0;
}

static void record(struct disk *d, uint64_t sector, uint64_t count, const void *bytes, size_t size) {
    uint64_t head[2] = {sector, count};

    if (d->record != NULL &&
        (fwrite(head, sizeof(head), 1, d->record) != 1 || fwrite(bytes, 1, size, d->record) != size))
        die("the record cannot be written");
}

static int disk_write(void *context, uint64_t sector, unsigned count, const void *bytes) {
    struct disk *d = context;
    size_t size = (size_t)count * FAT_SECTOR;

    if (count == 0 || sector >= device.sectors || count > device.sectors - sector)
        die("a write beyond the disk");
    if (device.read_only)
        die("a write to a disk that is read only");
    if (d->fail_after-- == 0) {
        d->failed = true;
        return OS2_FILE_E_DEVICE;
    }
    d->writes++;
    d->write_sectors += count;
    record(d, sector, count, bytes, size);
    if (d->memory != NULL)
        memcpy(d->memory + sector * FAT_SECTOR, bytes, size);
    else if (pwrite(d->file, bytes, size, (off_t)(sector * FAT_SECTOR)) != (ssize_t)size)
        return OS2_FILE_E_DEVICE;
    return 0;
}

static int disk_flush(void *context) {
    struct disk *d = context;

    d->flushes++;
    record(d, MARK_FLUSH, 0, "", 0);
    return 0;
}

static uint32_t crc_add(uint32_t crc, const uint8_t *bytes, size_t size) {
    static uint32_t table[256];

    for (uint32_t i = 0; table[255] == 0 && i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
    }
    for (size_t i = 0; i < size; i++)
        crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
    return crc;
}

/* The one node of a file that is open. */
static struct fat_node *node_of(const struct fat_node *found) {
    struct fat_node *node;

    for (unsigned i = 0; i < OPEN_MAX; i++) {
        if (!node_open[i] || nodes[i].entry_sector != found->entry_sector || nodes[i].entry_index != found->entry_index)
            continue;
        if (disk.failed) /* what was written is not known */
            nodes[i] = *found;
        if (nodes[i].first != found->first || nodes[i].size != found->size || nodes[i].folder != found->folder ||
            nodes[i].slot != found->slot || nodes[i].parts != found->parts)
            die("a node that is open is not true");
        return &nodes[i];
    }
    node = &nodes[node_next];
    node_open[node_next] = true;
    node_next = (node_next + 1) % OPEN_MAX;
    *node = *found;
    return node;
}

static void node_close(struct fat_node *node) {
    node_open[node - nodes] = false;
}

/* The node of the folder that a path is in, and the path's last name. */
static int parent_find(const char *path, struct fat_node *ret_folder, const char **ret_name) {
    const char *name = path + 1, *slash;

    fat_root(&fat, ret_folder);
    for (; (slash = strchr(name, '/')) != NULL; name = slash + 1) {
        struct fat_node inner;
        int status = fat_find(&fat, ret_folder, name, (size_t)(slash - name), &inner);

        if (status < 0)
            return status;
        *ret_folder = inner;
    }
    *ret_name = name;
    return 0;
}

static int find(const char *path, struct fat_node **ret_node) {
    struct fat_node folder, found;
    const char *name;
    int status = parent_find(path, &folder, &name);

    if (status >= 0)
        status = fat_find(&fat, &folder, name, strlen(name), &found);
    if (status >= 0)
        *ret_node = node_of(&found);
    return status;
}

static int create(const char *path, bool is_folder) {
    struct fat_node folder, made;
    const char *name;
    int status = parent_find(path, &folder, &name);

    if (status >= 0)
        status = fat_create(&fat, &folder, name, strlen(name), is_folder, &made);
    if (status >= 0)
        node_of(&made);
    return status;
}

/* Bytes of a file, to or from the disk. */
static int transfer(struct fat_node *node, uint64_t offset, uint8_t *bytes, uint64_t size, bool write) {
    while (size > 0) {
        uint64_t sector, piece;
        unsigned within;
        uint8_t *buffer;
        unsigned count;
        int status = fat_map(&fat, node, offset, size, &sector, &within, &piece);

        if (status < 0)
            return status;
        if (piece == 0 || piece > size || within >= FAT_SECTOR)
            die("fat_map says what cannot be");
        count = (unsigned)((within + piece + FAT_SECTOR - 1) / FAT_SECTOR);
        buffer = malloc((size_t)count * FAT_SECTOR);
        status = disk_read(&disk, sector, count, buffer);
        if (write) {
            memcpy(buffer + within, bytes, piece);
            status = disk_write(&disk, sector, count, buffer);
        } else {
            memcpy(bytes, buffer + within, piece);
        }
        free(buffer);
        if (status < 0)
            return status;
        bytes += piece;
        offset += piece;
        size -= piece;
    }
    return 0;
}

static int write_file(const char *path, uint64_t offset, uint64_t size, uint64_t seed, uint64_t reserve) {
    struct fat_node *node;
    uint64_t end = offset + size;
    int status = find(path, &node);

    if (status < 0)
        return status;
    if (end > node->size || reserve > 0)
        status = fat_reserve(&fat, node, reserve > end ? reserve : end);
    for (uint64_t done = 0; done < size && status >= 0; done += BASE_BYTES) {
        uint64_t part = size - done < BASE_BYTES ? size - done : BASE_BYTES;

        status = transfer(node, offset + done, base + seed % BASE_BYTES, part, true);
    }
    if (status >= 0)
        return fat_commit(&fat, node, end);
    fat_cancel(&fat, node);
    return status;
}

static int move(const char *from, const char *to) {
    struct fat_node folder, *node, *there = NULL;
    const char *name;
    int status = find(from, &node);

    if (status >= 0)
        status = parent_find(to, &folder, &name);
    if (status < 0)
        return status;
    if (find(to, &there) < 0)
        there = NULL;
    status = fat_rename(&fat, node, &folder, name, strlen(name), there);
    if (status >= 0 && there != NULL && there != node) {
        node_close(there);
        if (find(to, &there) < 0 || there != node)
            die("what was moved is not there");
    }
    return status;
}

/* A file's size, the sums of it all and of all but its last cluster, and its time. Of one that says it is very large
 * only so much is read. */
static uint32_t read_max = 1 << 23;

static int print_file(struct fat_node *node) {
    uint32_t size = node->size < read_max ? node->size : read_max;
    uint8_t *bytes = malloc(size + 1);
    int status = transfer(node, 0, bytes, size, false);

    printf(" %" PRIu32 " %08x %08x %" PRIu64 "\n", node->size, ~crc_add(0xffffffff, bytes, size),
           ~crc_add(0xffffffff, bytes, size - (size == 0 ? 0 : (size - 1) % (fat.cluster_sectors * FAT_SECTOR) + 1)),
           node->time);
    free(bytes);
    return status;
}

/* A tree that is damaged may have no end. */
static unsigned lines_left;

static int print_tree(const struct fat_node *folder, const char *path, unsigned depth) {
    char name[OS2_FILES_NAME];
    uint64_t position = 0;
    struct fat_node node;
    int status;

    while ((status = fat_list(&fat, folder, &position, &node, name)) == 1) {
        char inner[8192];

        if (lines_left-- == 0)
            return OS2_FILE_E_DAMAGED;
        snprintf(inner, sizeof(inner), "%s/%s", path, name);
        printf("%s\t%s", inner, node.kind & OS2_FILE_FOLDER ? "folder\n" : "file");
        status = node.kind & OS2_FILE_FOLDER ? (depth > 0 ? print_tree(&node, inner, depth - 1) : OS2_FILE_E_DAMAGED)
                                             : print_file(&node);
        if (status < 0)
            return status;
    }
    return status;
}

static int mount(unsigned index) {
    struct fat_partition partition;
    int status = fat_partition_find(&device, index, &partition);

    memset(node_open, 0, sizeof(node_open));
    for (unsigned i = 0; i < cache_size; i++)
        cache[i].bytes = cache_bytes[i];
    if (status < 0)
        return status;
    return fat_mount(&fat, &device, &partition, cache, cache_size);
}

static int put(const char *path, const char *host) {
    FILE *file = fopen(host, "rb");
    static uint8_t bytes[1 << 20];
    struct fat_node *node;
    uint64_t offset = 0;
    size_t size;
    int status = file == NULL ? OS2_FILE_E_NONE : find(path, &node);

    while (status >= 0 && (size = fread(bytes, 1, sizeof(bytes), file)) > 0) {
        status = fat_reserve(&fat, node, offset + size);
        if (status >= 0)
            status = transfer(node, offset, bytes, size, true);
        if (status >= 0)
            status = fat_commit(&fat, node, offset + size);
        offset += size;
    }
    if (file != NULL)
        fclose(file);
    return status;
}

static int space(void) {
    uint64_t total, left;
    int status = fat_space(&fat, &total, &left);

    if (status >= 0)
        printf("%" PRIu64 " %" PRIu64 "\n", total, left);
    return status;
}

static int map(const char *path, uint64_t offset, uint64_t most) {
    struct fat_node *node;
    uint64_t sector, bytes;
    unsigned within;
    int status = find(path, &node);

    if (status >= 0)
        status = fat_map(&fat, node, offset, most, &sector, &within, &bytes);
    if (status >= 0)
        printf("%" PRIu64 " %u %" PRIu64 "\n", sector, within, bytes);
    return status;
}

static int counts(void) {
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", disk.reads, disk.read_sectors, disk.writes,
           disk.write_sectors, disk.flushes);
    disk.reads = disk.read_sectors = disk.writes = disk.write_sectors = disk.flushes = 0;
    return 0;
}

static int change(const char *path, int (*how)(struct fat *, const struct fat_node *)) {
    struct fat_node *node;
    int status = find(path, &node);

    if (status >= 0)
        status = how(&fat, node);
    if (status >= 0)
        node_close(node);
    return status;
}

static int resize(const char *path, uint64_t size, int (*how)(struct fat *, struct fat_node *, uint64_t)) {
    struct fat_node *node;
    int status = find(path, &node);

    return status < 0 ? status : how(&fat, node, size);
}

static int cancel(const char *path) {
    struct fat_node *node;
    int status = find(path, &node);

    if (status >= 0)
        fat_cancel(&fat, node);
    return status;
}

static int tree(void) {
    struct fat_node root;

    fat_root(&fat, &root);
    lines_left = 5000;
    return print_tree(&root, "", 64);
}

static uint64_t number(const char *word) {
    return strtoull(word, NULL, 0);
}

static int run(const char **word) {
    const char *command = word[0];

    if (strcmp(command, "mount") == 0)
        return mount((unsigned)number(word[1]));
    if (strcmp(command, "cache") == 0)
        return (cache_size = (unsigned)number(word[1])) > CACHE_MAX ? OS2_E_INVALID : 0;
    if (strcmp(command, "readonly") == 0)
        return device.read_only = number(word[1]), 0;
    if (strcmp(command, "fail") == 0)
        return disk.fail_after = number(word[1]), 0;
    if (strcmp(command, "now") == 0)
        return fat.now = number(word[1]), 0;
    if (strcmp(command, "sync") == 0)
        return fat_sync(&fat);
    if (strcmp(command, "mkdir") == 0 || strcmp(command, "create") == 0)
        return create(word[1], command[0] == 'm');
    if (strcmp(command, "write") == 0)
        return write_file(word[1], number(word[2]), number(word[3]), number(word[4]), number(word[5]));
    if (strcmp(command, "shorten") == 0)
        return resize(word[1], number(word[2]), fat_shorten);
    if (strcmp(command, "reserve") == 0)
        return resize(word[1], number(word[2]), fat_reserve);
    if (strcmp(command, "commit") == 0)
        return resize(word[1], number(word[2]), fat_commit);
    if (strcmp(command, "cancel") == 0)
        return cancel(word[1]);
    if (strcmp(command, "remove") == 0)
        return change(word[1], fat_remove);
    if (strcmp(command, "rename") == 0)
        return move(word[1], word[2]);
    if (strcmp(command, "put") == 0)
        return put(word[1], word[2]);
    if (strcmp(command, "map") == 0)
        return map(word[1], number(word[2]), number(word[3]));
    if (strcmp(command, "label") == 0)
        return printf("%s\n", fat.label), 0;
    if (strcmp(command, "state") == 0)
        return printf("%u %d\n", fat.bits, fat.read_only), 0;
    if (strcmp(command, "space") == 0)
        return space();
    if (strcmp(command, "counts") == 0)
        return counts();
    if (strcmp(command, "tree") == 0)
        return tree();
    die("no such command");
    return 0;
}

/* The words of a line, which end with tabs; those that are not there are "0". */
static void split(char *line, const char **word) {
    line[strcspn(line, "\n")] = '\0';
    for (unsigned i = 0; i < WORDS_MAX; i++) {
        word[i] = line != NULL ? strsep(&line, "\t") : "0";
    }
}

static void commands(void) {
    static char line[16384];
    uint64_t done = 0;

    while (fgets(line, sizeof(line), stdin) != NULL) {
        const char *word[WORDS_MAX];

        split(line, word);
        printf("%d\n", run(word));
        record(&disk, MARK_DONE, ++done, "", 0);
        fflush(stdout);
    }
}

static uint8_t *load(const char *path, size_t *ret_size) {
    FILE *file = fopen(path, "rb");
    struct stat facts;
    uint8_t *bytes;

    if (file == NULL || fstat(fileno(file), &facts) < 0)
        die("a file cannot be read");
    *ret_size = (size_t)facts.st_size;
    bytes = malloc(*ret_size + 1);
    if (bytes == NULL || fread(bytes, 1, *ret_size, file) != *ret_size)
        die("a file cannot be read");
    fclose(file);
    return bytes;
}

static void save(const char *path) {
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(disk.memory, FAT_SECTOR, device.sectors, file) != device.sectors || fclose(file) != 0)
        die("a file cannot be written");
}

/* Does those sectors of the record that the list, numbers that go up, names: they are counted one by one. */
static void apply(const uint8_t *bytes, size_t size, char *list) {
    char *at = list;
    uint64_t wanted = *at ? strtoull(at, &at, 10) : UINT64_MAX, index = 0;

    for (size_t i = 0; i + 16 <= size;) {
        uint64_t head[2];

        memcpy(head, bytes + i, sizeof(head));
        i += sizeof(head);
        for (uint64_t sector = 0; head[0] < MARK_DONE && sector < head[1]; sector++, index++, i += FAT_SECTOR) {
            if (index != wanted)
                continue;
            memcpy(disk.memory + (head[0] + sector) * FAT_SECTOR, bytes + i, FAT_SECTOR);
            wanted = *at == ' ' ? strtoull(at + 1, &at, 10) : UINT64_MAX;
        }
    }
}

/* The start of files, as the list says. */
static int print_starts(const char *list) {
    static char line[16384];
    FILE *file = fopen(list, "r");

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        const char *word[WORDS_MAX];
        struct fat_node *node;
        uint64_t size;
        uint8_t *bytes;

        split(line, word);
        size = number(word[1]);
        if (find(word[0], &node) < 0 || node->size < size || node->kind & OS2_FILE_FOLDER)
            continue;
        bytes = malloc(size + 1);
        if (transfer(node, 0, bytes, size, false) >= 0)
            printf("start\t%s\t%08x\n", word[0], ~crc_add(0xffffffff, bytes, size));
        free(bytes);
    }
    if (file != NULL)
        fclose(file);
    return 0;
}

static void cuts(const char *image, const char *path) {
    static char line[1 << 20];
    size_t size, record_size;
    uint8_t *before = load(image, &size), *writes = load(path, &record_size);

    read_max = 1 << 16;
    disk.memory = malloc(size);
    device.sectors = size / FAT_SECTOR;
    while (fgets(line, sizeof(line), stdin) != NULL) {
        const char *word[WORDS_MAX];
        int status;

        split(line, word);
        memcpy(disk.memory, before, size);
        apply(writes, record_size, (char *)word[1]);
        if (number(word[3]) > 0) {
            disk.fail_after = number(word[3]) - 1;
            mount(0);
            disk.fail_after = UINT64_MAX;
            disk.failed = false;
        }
        status = mount(0);
        if (status >= 0)
            status = fat.read_only ? OS2_FILE_E_READ_ONLY : tree();
        if (status >= 0)
            status = print_starts(word[2]);
        if (status >= 0)
            status = fat_sync(&fat);
        save(word[0]);
        printf("%d\n", status);
        fflush(stdout);
    }
    free(before);
    free(writes);
    free(disk.memory);
}

int main(int count, char **argument) {
    struct stat facts;
    uint32_t x = 1;

    for (unsigned i = 0; i < BASE_BYTES; i++, x = x * 1103515245 + 12345)
        base[i] = base[i + BASE_BYTES] = (uint8_t)(x >> 16);
    device = (struct fat_device){&disk, 0, false, disk_read, disk_write, disk_flush};
    if (count == 4 && strcmp(argument[1], "--cuts") == 0) {
        cuts(argument[2], argument[3]);
        return 0;
    }
    if (count < 2 || (disk.file = open(argument[1], O_RDWR)) < 0 || fstat(disk.file, &facts) < 0)
        die("no image");
    device.sectors = (uint64_t)facts.st_size / FAT_SECTOR;
    if (count > 2 && (disk.record = fopen(argument[2], "wb")) == NULL)
        die("no record");
    commands();
    if (disk.record != NULL)
        fclose(disk.record);
    close(disk.file);
    return 0;
}
